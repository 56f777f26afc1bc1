//! Looking people up.

use feishu_sim::{AppSettings, Call, UserSettings};
use worker::feishu::People;
use worker::feishu::verdict::Verdict;

use super::harness::{APP, SECRET, harness, settings};

#[tokio::test]
async fn people_are_found_fifty_at_a_time_and_unknown_ones_are_left_out() {
    let settings = (0..60).fold(settings(), |settings, number| {
        settings.user(UserSettings::new(format!("ou_{number}")).mobile(format!("139000000{number:02}")))
    });
    let harness = harness(settings).await;
    let people = People {
        mobiles: (0..120).map(|number| format!("139000000{number:02}")).collect(),
        emails: vec!["ANN@corp.example".to_owned(), "nobody@corp.example".to_owned()],
    };
    let found = harness.bot.batch_get_id(&people, harness.clock.now()).await.unwrap();
    assert_eq!(harness.calls(Call::LookUp).len(), 3);
    assert_eq!(found.len(), 61);
    assert_eq!(found["13900000059"], "ou_59");
    assert_eq!(found["ANN@corp.example"], "ou_ann");
}

#[tokio::test]
async fn a_missing_scope_breaks_the_look_up_and_names_the_scope() {
    let harness = harness(settings().app(AppSettings::new(APP, SECRET).without_contact_scope())).await;
    let people = People { mobiles: vec!["13800000001".to_owned()], ..People::default() };
    let verdict = harness.bot.batch_get_id(&people, harness.clock.now()).await.unwrap_err();
    let Verdict::Broken(trouble) = verdict else { panic!("{verdict:?}") };
    assert!(trouble.message.contains("contact:user.id:readonly"), "{trouble:?}");
}

#[tokio::test]
async fn nobody_is_found_without_a_call() {
    let harness = harness(settings()).await;
    assert!(harness.bot.batch_get_id(&People::default(), harness.clock.now()).await.unwrap().is_empty());
    assert!(harness.sim.records(APP).is_empty());
}
