use config::LinksConfig;

use super::*;

#[test]
fn nothing_from_outside_mentions_anybody() {
    let hostile = "<at user_id=\"all\">all</at>";
    let refused = AlertmanagerError::Refused { status: 400, reason: hostile.to_owned() };
    let target = TargetAlert {
        name: format!("A\n{hostile}"),
        place: hostile.to_owned(),
        fingerprint: hostile.to_owned(),
        ..TargetAlert::example()
    };
    let style = Style {
        timezone: jiff::tz::TimeZone::UTC,
        locale: Locale::En,
        links: LinksConfig::default(),
        severities: config::SeverityWords::default(),
    };
    assert_eq!(line(&target, &style).lines().count(), 1);
    for answer in [
        Reply::NotSilenced(refused.clone()),
        Reply::NotUnsilenced(refused),
        Reply::NotFromAlertmanager(Some(format!("https://x/{hostile}"))),
        Reply::NotFromAlertmanager(Some("javascript:alert(1)".to_owned())),
        Reply::Alerts(vec![line(&target, &style)], 0),
        Reply::Status(vec![standing(hostile, true, 1, Locale::En)]),
    ] {
        for locale in [Locale::ZhCn, Locale::En] {
            let text = answer.text(locale);
            assert!(!text.contains("<at") && !text.contains("javascript"), "{text}");
        }
    }
}

#[test]
fn a_list_says_how_much_is_not_on_it() {
    let answer = Reply::Alerts(vec!["a".to_owned(), "b".to_owned()], 3);
    assert_eq!(answer.text(Locale::En), "a\nb\n… and 3 more");
    assert_eq!(answer.text(Locale::ZhCn), "a\nb\n… 还有 3 条");
    assert!(
        Reply::Alerts(vec![], 0).text(Locale::En).starts_with("Nothing fires on the cards in this chat;")
    );
}
