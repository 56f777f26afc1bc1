//! Who is named on a card, and that nobody can make it name anybody else.

use super::*;
use crate::people::mentions::{At, MentionedOwner, Mentions, Name};
use crate::people::person::{OpenId, UserId};

/// The most there can be on one card.
const PEOPLE_MAX: usize = 50;

fn owner(at: Option<At>, name: &str) -> MentionedOwner {
    MentionedOwner { at, name: Some(Name::Text(name.to_owned())) }
}

fn ann() -> At {
    At::OpenId(OpenId::parse("ou_ann1").unwrap())
}

/// One of each kind.
/// Whom they name by an id.
pub(super) const IDS: [&str; 2] = ["ou_ann1", "b0b"];

pub(super) fn mentions() -> Mentions {
    let owners = vec![
        owner(Some(ann()), "安娜"),
        owner(Some(At::UserId(UserId::parse("b0b").unwrap())), "鲍勃"),
        MentionedOwner { at: Some(At::All), name: Some(Name::Everybody) },
        owner(None, "eve"),
        owner(None, "<at id=all></at> **x** 13800138000"),
    ];
    Mentions { owners, more: 2, outcomes: Vec::new() }
}

fn card_and_text(mentions: &Mentions) -> (String, String) {
    let scene = scenes::storm(8);
    let style = style(Locale::En);
    let besides = Besides { owners: Some(mentions), ..Besides::default() };
    let card = card_with(&scene.items(), &style, now(), CARD_BYTES_MAX, besides);
    (serde_json::to_string(&card).unwrap(), plain_with(&scene.items(), &style, now(), besides))
}

#[test]
fn a_card_names_by_id_and_a_text_by_user_id_and_both_name_nobody_else() {
    let (card, text) = card_and_text(&mentions());
    let expected = "👤 <at id=ou_ann1></at> · <at id=b0b></at> · <at id=all></at> · eve · ";
    assert!(card.contains(expected), "{card}");
    assert_eq!(card.matches("<at").count(), 3);
    let expected =
        "👤 <at user_id=\"ou_ann1\">安娜</at> · 鲍勃 · <at user_id=\"all\">everybody</at> · eve · ";
    assert!(text.contains(expected), "{text}");
    assert_eq!(text.matches("<at").count(), 2);
    for shown in [card, text] {
        assert!(!shown.contains("13800138000") && shown.contains("2 more"), "{shown}");
    }
}

#[test]
fn without_mentions_the_names_are_still_there() {
    let (card, text) = card_and_text(&mentions().quiet());
    for shown in [card, text] {
        assert!(!shown.contains("<at "), "{shown}");
        assert!(["安娜", "鲍勃", "everybody", "eve"].iter().all(|name| shown.contains(name)), "{shown}");
    }
}

#[test]
fn nobody_to_name_is_no_line() {
    let (card, text) = card_and_text(&Mentions::default());
    assert!(!card.contains('👤') && !text.contains('👤'));
}

#[test]
fn however_many_people_and_alerts_there_are_a_card_keeps_its_limit() {
    let owners = (0..PEOPLE_MAX).map(|_| owner(None, &"<".repeat(200))).collect();
    let mentions = Mentions { owners, more: 0, outcomes: Vec::new() };
    let besides = Besides { owners: Some(&mentions), ..Besides::default() };
    for (alerts, bytes_max) in [(1, CARD_BYTES_MAX), (10_000, CARD_BYTES_MAX), (60, CARD_BYTES_MAX / 2)] {
        let scene = scenes::storm(alerts);
        let card = card_with(&scene.items(), &style(Locale::En), now(), bytes_max, besides);
        assert!(length(&card) <= bytes_max, "{} of {bytes_max}", length(&card));
        assert!(plain_with(&scene.items(), &style(Locale::En), now(), besides).len() <= TEXT_BYTES_MAX);
    }
}

#[test]
fn a_label_that_calls_somebody_by_a_number_is_not_shown_and_any_other_number_is() {
    let labels = [
        ("owner", "zhangsan, +86 138 0013 8000"),
        ("at_phone", "13900139000"),
        ("team_lead", "@ 13700137000；eve"),
        ("order_id", "13600136000"),
        ("owner_team", "payments"),
    ];
    let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let envelope = scenes::envelope(vec![scenes::alert("A", labels.to_vec(), "")], 0);
    let items = Item::all_of(&envelope);
    let style = style(Locale::En);
    let card = serde_json::to_string(&build(&items, &style, now(), CARD_BYTES_MAX)).unwrap();
    assert!(card.contains("13600136000") && card.contains("payments"), "{card}");
    let every_label = "{% for name, value in labels|items %}{{ name }}: {{ value }}{% endfor %}";
    let template =
        CardTemplate::compile("all", [(TemplatePart::Title, None), (TemplatePart::Body, Some(every_label))])
            .unwrap();
    let worded = AppliedTemplate::new(&template, "ops");
    let besides = Besides { worded: Some(&worded), ..Besides::default() };
    let in_own_words = card_with(&items, &style, now(), CARD_BYTES_MAX, besides);
    let in_own_words = serde_json::to_string(&in_own_words).unwrap();
    assert!(in_own_words.contains("13600136000"), "{in_own_words}");
    for shown in [card, in_own_words, plain_with(&items, &style, now(), Besides::default())] {
        for number in ["138 0013 8000", "13900139000", "13700137000"] {
            assert!(!shown.contains(number), "{number} in {shown}");
        }
    }
}
