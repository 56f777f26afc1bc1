use super::MentionOutcome::{Forbidden, Late, Mentioned, Named, Refused, Unknown};
use super::*;

const POLICY: MentionPolicy = MentionPolicy { all: false, user_ids: false, people_max: 10 };

fn person(text: &str) -> Person {
    Person::parse(text).unwrap()
}

fn waking(texts: &[&str]) -> Vec<WantedOwner> {
    texts.iter().map(|text| WantedOwner { person: person(text), wakes: true }).collect()
}

/// A directory in which ann has an open id, bob a user id, eve no id, and everybody else is unknown or late.
fn look_up(asked: &Person) -> PersonLookup {
    let known = |open_id: &str, user_id: &str, name: &str| {
        PersonLookup::Known(Identity {
            open_id: OpenId::parse(open_id),
            user_id: UserId::parse(user_id),
            name: Some(name.to_owned()),
        })
    };
    match asked {
        Person::Name(name) if name == "ann" => known("ou_ann", "", "安"),
        Person::Mobile(_) => known("ou_ann", "", "安"),
        Person::Name(name) if name == "bob" => known("", "b0b", "鲍勃"),
        Person::Name(name) if name == "eve" => known("", "", "夏娃"),
        Person::Name(name) if name == "late" => PersonLookup::Late,
        Person::All | Person::OpenId(_) | Person::Name(_) => PersonLookup::Unknown,
    }
}

/// Whether each is mentioned, and under which name.
fn names(mentions: &Mentions) -> Vec<(bool, Option<String>)> {
    let name = |owner: &'_ MentionedOwner| match &owner.name {
        Some(Name::Text(text)) => Some(text.clone()),
        Some(Name::Everybody) => Some("everybody".to_owned()),
        None => None,
    };
    mentions.owners.iter().map(|owner| (owner.at.is_some(), name(owner))).collect()
}

#[test]
fn who_is_known_is_mentioned_and_everybody_else_is_named() {
    let wanted = waking(&["ann", "bob", "eve", "nobody", "late", "all", "ou_zoe"]);
    let mentions = Mentions::of(&wanted, look_up, POLICY);
    let shown = [
        (true, Some("安")),
        (false, Some("鲍勃")),
        (false, Some("夏娃")),
        (false, Some("nobody")),
        (false, Some("late")),
        (false, Some("everybody")),
        (true, None),
    ];
    assert_eq!(names(&mentions), shown.map(|(at, name)| (at, name.map(str::to_owned))));
    assert_eq!(mentions.outcomes, [Mentioned, Forbidden, Unknown, Unknown, Late, Forbidden, Mentioned]);
    let polite = Mentions::of(&wanted, look_up, MentionPolicy { all: true, user_ids: true, ..POLICY });
    assert_eq!(names(&polite).iter().filter(|(mentioned, _)| *mentioned).count(), 4);
}

#[test]
fn one_person_under_two_names_stands_there_once() {
    let mentions = Mentions::of(&waking(&["ann", "13800138000", "ou_ann"]), look_up, POLICY);
    assert_eq!(names(&mentions), [(true, Some("安".to_owned()))]);
}

#[test]
fn whose_alerts_are_over_is_named_and_not_woken() {
    let wanted = [WantedOwner { person: person("ann"), wakes: false }];
    let mentions = Mentions::of(&wanted, look_up, POLICY);
    assert_eq!(names(&mentions), [(false, Some("安".to_owned()))]);
    assert_eq!(mentions.outcomes, [Named]);
}

#[test]
fn too_many_are_counted_and_a_number_without_a_name_too() {
    let many: Vec<String> = (0..15).map(|number| format!("p{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let mentions = Mentions::of(&waking(&many), look_up, POLICY);
    assert_eq!((mentions.owners.len(), mentions.more), (10, 5));
    let unknown = Mentions::of(&waking(&["13800138000"]), |_| PersonLookup::Unknown, POLICY);
    assert_eq!((unknown.owners.len(), unknown.more), (0, 1));
}

#[test]
fn without_mentions_the_names_remain() {
    let mentions = Mentions::of(&waking(&["ann", "ou_zoe", "nobody"]), look_up, POLICY);
    let quiet = mentions.quiet();
    assert!(!quiet.mentions());
    assert_eq!(names(&quiet), ["安", "nobody"].map(|name| (false, Some(name.to_owned()))));
    assert_eq!(quiet.more, 1);
    assert_eq!(quiet.outcomes, [Refused, Refused, Unknown]);
}
