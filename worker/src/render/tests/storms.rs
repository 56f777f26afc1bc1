//! What a card of a storm says of all of it: what its alerts have in common, what is new, and where they are silenced.

use model::alert::Alert;
use model::envelope::Source;

use super::scenes::{self, Scene, alert, envelope, now, so_far};
use super::*;

fn json_of(scene: &Scene, besides: Besides<'_>) -> String {
    let card = card_with(&scene.items(), &style(Locale::En), now(), CARD_BYTES_MAX, besides);
    serde_json::to_string(&card).unwrap()
}

/// So many alerts, of which so many are in a rack of their own.
fn in_racks(alerts: usize, elsewhere: usize) -> Scene {
    let alert = |index: usize| {
        let rack = if index < elsewhere { format!("r{index}") } else { "main".to_owned() };
        let labels = [("pod", format!("p-{index}")), ("rack", rack), ("zone", "z1".to_owned())];
        alert("Down", labels.map(|(name, value)| (name.to_owned(), value)).into(), "x")
    };
    let envelopes = vec![envelope((0..alerts).map(alert).collect(), 0)];
    Scene { envelopes, is_reminder: |_| false, attention: Vec::new() }
}

#[test]
fn what_nine_of_ten_have_is_said_with_how_many_have_it() {
    for (alerts, elsewhere, said) in [
        (20, 1, Some("main, for 95 %")),
        (20, 2, Some("main, for 90 %")),
        (1_000, 1, Some("main, for 99 %")),
        (20, 3, None),
        (15, 1, None),
    ] {
        let json = json_of(&in_racks(alerts, elsewhere), Besides::default());
        let field = json.contains("**rack**\\n");
        assert_eq!(field, said.is_some(), "{alerts} {elsewhere}: {json}");
        assert!(said.is_none_or(|said| json.contains(said)), "{alerts} {elsewhere}: {json}");
        assert_eq!(json.matches("**zone**").count(), 1, "what all have is said once: {json}");
    }
}

#[test]
fn a_later_card_says_what_is_new_and_a_calm_one_nothing() {
    let storm = Some(so_far());
    let json = json_of(&scenes::storm(40), Besides { storm, ..Besides::default() });
    let said = "+35 since 18:33, 5 ended · 406 alerts and 35 ends on 5 cards since 18:23";
    assert!(json.contains(said), "{json}");
    let text = plain_with(
        &scenes::storm(40).items(),
        &style(Locale::En),
        now(),
        Besides { storm, ..Besides::default() },
    );
    assert!(text.contains(said), "{text}");
    let calm = StormSoFar { firing: 3, resolved: 0, ..so_far() };
    for (scene, storm) in [(scenes::mixed(), calm), (scenes::reminders(), so_far())] {
        let json = json_of(&scene, Besides { storm: Some(storm), ..Besides::default() });
        assert!(!json.contains(" since "), "nothing of that is news: {json}");
    }
}

/// The links that silence, as they are called.
fn silences(scene: &Scene, besides: Besides<'_>) -> (usize, usize) {
    let json = json_of(scene, besides);
    (json.matches("[Silence](").count(), json.matches("[Silence group](").count())
}

#[test]
fn a_group_is_silenced_by_what_its_alerts_share_in_the_one_alertmanager_it_came_from() {
    let mut scene = scenes::crash_loop();
    let json = json_of(&scene, Besides::default());
    let form = "[Silence group](http://alertmanager.example/#/silences/new?filter=\
                %7Balertname%3D%22KubePodCrashLooping%22,cluster%3D%22prod-bj%22,namespace%3D%22shop%22,severity%3D%22critical%22%7D)";
    assert!(json.contains(form), "{json}");
    let half = scene.envelopes[0].alerts.split_off(30);
    let mut other = envelope(half, 0);
    other.id = other.id.part(1);
    scene.envelopes.push(other);
    assert_eq!(silences(&scene, Besides::default()), (0, 1));
    scene.envelopes[1].external_url = "http://elsewhere.example".into();
    assert_eq!(silences(&scene, Besides::default()), (0, 0), "a silence in one leaves those of the other");
    scene.envelopes[1].source = Source::Grafana;
    assert_eq!(silences(&scene, Besides::default()), (0, 0));
}

#[test]
fn what_has_buttons_or_is_over_or_has_no_name_in_common_has_no_form() {
    let press = serde_json::json!({"action": "ack"});
    let buttons = [Button::calling_back("Acknowledge", press.as_object().unwrap().clone())];
    let scene = scenes::crash_loop();
    assert_eq!(silences(&scene, Besides { buttons: &buttons, ..Besides::default() }), (0, 0));
    assert_eq!(silences(&scenes::calm_again(), Besides::default()), (0, 0));
    let mut nameless = scenes::crash_loop();
    let strip = |alert: &mut Alert<'static>| {
        let labels = alert.labels.iter().filter(|(name, _)| *name != "alertname");
        alert.labels =
            labels.map(|(name, value)| (name.to_owned().into(), value.to_owned().into())).collect();
    };
    nameless.envelopes[0].alerts.iter_mut().for_each(strip);
    assert_eq!(silences(&nameless, Besides::default()), (0, 0));
}

/// What leads to the page of the card: each button with its address.
fn pages(elements: &[Element]) -> Vec<(String, String)> {
    let actions = elements.iter().filter_map(|element| {
        let Element::Buttons { actions } = element else { return None };
        Some(actions)
    });
    let pairs =
        actions.flatten().filter_map(|button| Some((button.text.content().to_owned(), button.url.clone()?)));
    pairs.collect()
}

#[test]
fn a_card_that_lists_leads_to_its_page_in_the_console_where_people_can_reach_that() {
    let scene = scenes::crash_loop();
    let items = scene.items();
    let unset = style(Locale::En);
    let mut reached = style(Locale::En);
    reached.links.console_url = Some("https://larkfire.example.com/ops".to_owned());
    for format in [CardFormat::V1, CardFormat::V2] {
        let named = Besides { format, card: Some("c1"), ..Besides::default() };
        let card = |style, besides| card_with(&items, style, now(), CARD_BYTES_MAX, besides);
        let leads = pages(&card(&reached, named).elements);
        let expected =
            (format!("All {}", items.len()), "https://larkfire.example.com/ops/cards/c1".to_owned());
        assert_eq!(leads, [expected], "{format:?}");
        assert_eq!(pages(&card(&unset, named).elements), [], "nobody knows where the console is");
        let nameless = Besides { format, ..Besides::default() };
        assert_eq!(pages(&card(&reached, nameless).elements), [], "nothing is known of the card by a name");
        let one = Item::all_of(&scene.envelopes[0]).into_iter().take(1).collect::<Vec<_>>();
        let single = card_with(&one, &reached, now(), CARD_BYTES_MAX, named);
        assert!(
            pages(&single.elements).iter().all(|(words, _)| !words.starts_with("All ")),
            "it tells all of it"
        );
    }
    let text = text_with(&items, &reached, now(), Besides { card: Some("c1"), ..Besides::default() }).content;
    let is_told = text.contains("listed") || text.contains("Everything is listed.");
    assert!(is_told, "{text}");
}
