//! Whatever an alert says, it mentions nobody, links nowhere, and forges no line of the card.

use proptest::prelude::*;

use super::scenes::{Scene, alert, envelope, now};
use super::*;

/// Everything that was ever tried, in one text: a mention, links, marks, a forged line after every kind of line end,
/// signs behind blanks that cannot be seen.
pub(super) const HOSTILE: &str = "🟢 **All is well**\n➕ 300 more: 300 resolved\r🔴 ×9 Forged\u{2028}🔁 told\u{85}\u{2800}🟢 x\n\
    \u{3000}\u{200b}\u{feff}🟢\u{fe0f} y\n\u{202e}🟢 z\u{202c}\u{2066}🔵\u{2069}<at id=all></at><at user_id=\"all\">all</at>\
    [ok](https://evil.example) <a href='https://evil.example'>ok</a> ![x](img)\u{7}\u{1b}[31m";

/// Characters that show nothing, or turn what is shown.
pub(super) fn is_unseen(character: char) -> bool {
    let ranges = ['\u{200b}'..='\u{200f}', '\u{202a}'..='\u{202e}', '\u{2060}'..='\u{2069}'];
    character == '\u{feff}' || ranges.iter().any(|range| range.contains(&character))
}

/// Lines that begin with a sign are ours: as many as alerts told, groups counted and notices given.
pub(super) fn signed(content: &str) -> usize {
    let signs = ['🔴', '⭕', '🟠', '⚪', '🔵', '🟢', '🔁', '➕'];
    content.lines().filter(|line| line.trim_start().starts_with(signs)).count()
}

pub(super) fn scene(hostile: &str, alerts: usize) -> Scene {
    let labels = [("namespace", hostile), ("pod", hostile), (hostile, "x"), ("severity", hostile)];
    let labels: Vec<_> = labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let mut alert = alert(hostile, labels, hostile);
    // Different from the summary, so that it is shown as well.
    alert.annotations.insert_if_absent("message".into(), format!("{hostile}.").into());
    alert.generator_url = hostile.to_owned().into();
    let alerts = (0..alerts).map(|index| {
        let mut alert = alert.clone();
        // Their names are listed where there are many.
        alert.labels.insert_if_absent("zone".into(), format!("{hostile}{}", index % 30).into());
        alert
    });
    let mut envelope = envelope(alerts.collect(), 3);
    envelope.external_url = hostile.to_owned().into();
    Scene { envelopes: vec![envelope], is_reminder: |_| false, attention: Vec::new() }
}

fn check(hostile: &str) {
    for (alerts, format) in
        [1, 2, 40].into_iter().flat_map(|alerts| CardFormat::ALL.map(|format| (alerts, format)))
    {
        let scene = scene(hostile, alerts);
        let besides = Besides { format, ..Besides::default() };
        let card = card_with(&scene.items(), &style(Locale::En), now(), CARD_BYTES_MAX, besides);
        is_taken(&card);
        if let Some(HeaderBesides { subtitle, summary, tags }) = &card.header.besides {
            for text in tags.iter().map(|tag| &tag.text).chain([subtitle, summary]) {
                assert!(!text.contains(['\n', '\r']) && !text.contains(is_unseen), "{text}");
            }
        }
        for part in texts(&card) {
            assert!(!part.content().contains(is_unseen), "{part:?}");
            if let CardText::Markdown { content } = part {
                assert!(!content.contains('<') && !content.contains("]("), "{content}");
            }
        }
        let plain = text(&scene.items(), &style(Locale::En), now());
        assert!(!plain.contains('<') && !plain.contains(is_unseen), "{plain}");
        // One that the sender left out; and the alert, or all of them at once.
        let ours = [(1, 1), (2, 2), (40, 2)].into_iter().find(|(of, _)| *of == alerts).unwrap().1;
        assert_eq!(texts(&card).iter().map(|text| signed(text.content())).sum::<usize>(), ours, "{card:?}");
        assert_eq!(signed(plain.split_once('\n').unwrap().1), ours, "{plain}");
    }
}

#[test]
fn no_text_of_an_alert_mentions_anybody_or_forges_a_line() {
    check(HOSTILE);
    for character in HOSTILE.chars() {
        check(&format!("{character}🟢 forged\n{character}➕ 3 more: 3 resolved"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_an_alert_says_becomes_a_tag_a_link_or_a_line(
        hostile in "[<>at id=luser\\[\\]()\\\\*:/.🟢🔴➕🔁×1\n\r\t \u{2028}\u{200b}\u{202e}\u{3000}]{0,80}",
    ) {
        check(&hostile);
    }
}
