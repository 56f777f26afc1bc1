//! A card keeps its budget, whatever it is about.

use proptest::prelude::*;

use super::scenes::{self, Scene, alert, envelope, now};
use super::*;

#[test]
fn a_short_card_is_about_half_as_long_and_says_how_much_is_missing() {
    let pod = |index: usize| ("pod".to_owned(), format!("{}-p", index * 7_919 % 10_007).repeat(3));
    let alerts = (0..1_000).map(|index| alert("DiskFull", vec![pod(index)], "long enough"));
    let envelope = envelope(alerts.collect(), 0);
    let items = Item::all_of(&envelope);
    let card = build_with(&items, &style(Locale::En), now(), CARD_BYTES_MAX / 2, Besides::default());
    assert!((CARD_BYTES_MAX / 3..=CARD_BYTES_MAX / 2).contains(&length(&card.content)));
    let missing = card.summarised.len();
    let said = format!("{} of 1000 listed; the other {missing} are not.", 1_000 - missing);
    assert!(missing > 0 && serde_json::to_string(&card.content).unwrap().contains(&said));
}

#[test]
fn what_is_left_out_of_a_single_alert_is_said() {
    let link = format!("https://p.example/{}", "x".repeat(1_900));
    let mut alert = alert("DiskFull", Vec::new(), "disk is full");
    alert.annotations = [("description".into(), "字".repeat(3_000).into())].into_iter().collect();
    alert.generator_url = link.into();
    let envelope = envelope(vec![alert], 0);
    let card = |bytes_max| {
        let card = build(&Item::all_of(&envelope), &style(Locale::En), now(), bytes_max);
        assert!(length(&card) <= bytes_max, "{} of {bytes_max}", length(&card));
        serde_json::to_string(&card).unwrap()
    };
    assert!(!card(CARD_BYTES_MAX).contains("left out to make room"));
    assert!(card(3_000).contains("left out to make room") && card(3_000).contains("p.example"));
    assert!(card(2_000).contains("left out to make room") && !card(2_000).contains("p.example"));
}

#[test]
fn the_title_and_the_numbers_take_a_kilobyte() {
    let scene = scenes::storm(10_000);
    for (format, bytes_max) in [(CardFormat::V1, 1_000), (CardFormat::V2, 1_500)] {
        let besides = Besides { format, ..Besides::default() };
        let card = card_with(&scene.items(), &style(Locale::En), now(), 0, besides);
        assert!(length(&card) <= bytes_max, "{}", length(&card));
        assert!(serde_json::to_string(&card).unwrap().contains("8572 firing, 1428 resolved"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_card_is_over_its_budget_and_no_text_over_its_own(
        names in proptest::collection::vec(".{0,300}", 1..60),
        labels in proptest::collection::vec((".{0,80}", ".{0,400}"), 0..12),
        text_of in ".{0,3000}",
        budget in 2_000_usize..=CARD_BYTES_MAX,
    ) {
        let alerts: Vec<_> = names.iter().map(|name| alert(name, labels.clone(), &text_of)).collect();
        let envelopes = alerts.chunks(10).map(|alerts| envelope(alerts.to_vec(), 3)).collect();
        let scene = Scene { envelopes, is_reminder: |_| true, attention: Vec::new() };
        for locale in [Locale::ZhCn, Locale::En] {
            for format in CardFormat::ALL {
                let besides = Besides { format, ..Besides::default() };
                let card = card_with(&scene.items(), &style(locale), now(), budget, besides);
                prop_assert!(length(&card) <= budget, "{} bytes of {}", length(&card), budget);
                is_taken(&card);
            }
            prop_assert!(text(&scene.items(), &style(locale), now()).len() <= TEXT_BYTES_MAX);
        }
    }
}

#[test]
fn there_is_room_for_the_buttons_of_a_card_however_much_is_on_it() {
    let press = serde_json::json!({"action": "ack", "card": "1a2b"});
    let buttons = [Button::calling_back("Acknowledge", press.as_object().unwrap().clone())];
    for (alerts, bytes_max) in [(1, CARD_BYTES_MAX), (60, CARD_BYTES_MAX), (10_000, 4_000), (10_000, 0)] {
        let scene = scenes::storm(alerts);
        for format in CardFormat::ALL {
            let besides = Besides { format, buttons: &buttons, ..Besides::default() };
            let card = card_with(&scene.items(), &style(Locale::En), now(), bytes_max, besides);
            assert!(length(&card) <= bytes_max.max(1_700), "{}", length(&card));
            let rows: Vec<_> =
                card.elements.iter().filter(|element| matches!(element, Element::Buttons { .. })).collect();
            assert_eq!(rows.last().unwrap(), &&Element::Buttons { actions: buttons.to_vec() });
        }
    }
}

/// Groups of which every part is as different as it can be.
fn motley(groups: usize, alerts: usize) -> Scene {
    let alert_of = |group: usize, index: usize| {
        let labels = [
            ("pod", format!("p{group}-{index}")),
            ("disk", format!("d{}", index % 3)),
            ("team", "db".to_owned()),
        ];
        let labels = labels.map(|(name, value)| (name.to_owned(), value)).into();
        let mut alert = alert(&format!("Kind{group}"), labels, &format!("summary of {group}"));
        alert.annotations.insert_if_absent("message".into(), format!("described {group}").into());
        alert.annotations.insert_if_absent("value".into(), format!("{index} %").into());
        alert
    };
    let alerts = (0..groups).flat_map(|group| (0..alerts).map(move |index| alert_of(group, index)));
    Scene { envelopes: vec![envelope(alerts.collect(), 3)], is_reminder: |_| false, attention: Vec::new() }
}

#[test]
fn a_card_of_2_0_has_no_more_objects_and_tables_than_it_may_whatever_is_on_it() {
    let press = serde_json::json!({"action": "ack", "card": "1a2b"});
    let button = Button::calling_back("Acknowledge", press.as_object().unwrap().clone());
    let buttons = vec![button; 4];
    let mentions = owners::mentions();
    for (groups, alerts) in [(2, 4), (4, 4), (15, 1), (15, 4), (60, 3), (20, 40)] {
        let scene = motley(groups, alerts);
        let besides = Besides {
            format: CardFormat::V2,
            buttons: &buttons,
            owners: Some(&mentions),
            ..Besides::default()
        };
        let card = card_with(&scene.items(), &style(Locale::En), now(), CARD_BYTES_MAX, besides);
        is_taken(&card);
        let json = serde_json::to_string(&card).unwrap();
        let [objects, tables] = ["\"tag\":", "\"tag\":\"table\""].map(|tag| json.matches(tag).count());
        assert!(objects <= 150, "{objects} for {groups} groups");
        assert!(tables <= 3, "{tables} for {groups} groups");
        assert!(json.contains("Kind0"));
    }
}

#[test]
fn an_app_bot_can_send_any_card_of_2_0_though_it_goes_as_a_string_within_json() {
    for scene in [motley(15, 4), motley(20, 40), motley(400, 1), scenes::storm(10_000)] {
        let besides = Besides { format: CardFormat::V2, ..Besides::default() };
        let card = card_with(&scene.items(), &style(Locale::ZhCn), now(), CARD_BYTES_MAX, besides);
        let nested = serde_json::to_string(&serde_json::to_string(&SharedCard(&card)).unwrap()).unwrap();
        // 30 KB are the limit of a request, and 500 bytes are more than is around the card.
        assert!(nested.len() + 500 <= 30_000, "{}", nested.len());
    }
}
