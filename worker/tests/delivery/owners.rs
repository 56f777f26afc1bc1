//! Who is mentioned in Feishu: found in either kind of user table or in Feishu's contacts, and never waited for.

mod conformance;
mod contention;
mod harness;

use config::OwnersConfig;
use feishu_sim::{AppSettings, UserSettings, Verdict};
use model::alert::{Mention, Status};
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Executor as _};
use testkit::chaos_proxy::{ChaosProxy, Direction};
use testkit::postgres::TestSchema;

use crate::harness::WITHIN;
use harness::{APP, APP_SECRET, OwnersHarness, People, alert_of, asking_for};

#[tokio::test]
async fn owners_of_services_are_found_in_the_operators_own_table_and_notified() {
    let people = People::on_mariadb().await;
    let mut office = OwnersHarness::open(people.config(), &["ou_zhang"]).await;
    let card = office.tell(&alert_of("order-service", 1)).await;
    assert_eq!(card.mentioned, ["ou_zhang"]);
    assert!(office.metric("larkfire_mentions_total{outcome=\"mentioned\"} 1"));
}

#[tokio::test]
async fn owners_are_found_in_postgresql_whatever_their_columns_are() {
    let schema = TestSchema::create().await;
    let mut connection = PgConnection::connect(&schema.url()).await.unwrap();
    for statement in [
        r#"CREATE TABLE staff (login VARCHAR(64), "order" TEXT, phone BIGINT, lark CHAR(16))"#,
        "INSERT INTO staff VALUES ('zhangsan', '张三', 13800138000, 'feishu_ou_zhang'), ('old', NULL, NULL, NULL)",
    ] {
        connection.execute(statement).await.unwrap();
    }
    let config = People::in_the_workers_database(&schema);
    let mut office = OwnersHarness::open_on(schema.url(), config, &["ou_zhang"]).await;
    assert_eq!(office.tell(&alert_of("order-service", 1)).await.mentioned, ["ou_zhang"], "in any case");
    let mention = Mention { mobiles: vec!["+8613800138000".into()], ..Mention::default() };
    assert_eq!(office.tell(&asking_for(mention, 2)).await.mentioned, ["ou_zhang"]);
    assert!(office.metric("larkfire_mentions_total{outcome=\"mentioned\"} 2"));
}

#[tokio::test]
async fn whoever_is_always_named_has_a_place_however_many_owners_there_are() {
    let people = People::on_mariadb().await;
    let config = OwnersConfig { always_mention: vec!["zhangsan".to_owned()], ..people.config() };
    let mut office = OwnersHarness::open(config, &["ou_zhang"]).await;
    let strangers = (0..15).map(|number| format!("stranger{number}").into());
    let mention = Mention { usernames: strangers.collect(), ..Mention::default() };
    let card = office.tell(&asking_for(mention, 1)).await;
    let text = card.message().unwrap().to_string();
    assert_eq!(card.mentioned, ["ou_zhang"], "{text}");
    assert!(text.contains("stranger8") && !text.contains("stranger9"), "{text}");
    assert!(office.metric("larkfire_mentions_total{outcome=\"beyond\"} 6"));
}

#[tokio::test]
async fn a_mobile_is_found_in_any_form_and_shown_in_none() {
    let people = People::on_mariadb().await;
    let mut office = OwnersHarness::open(people.config(), &["ou_zhang", "ou_li"]).await;
    for (index, (mobile, id)) in
        [("13800138000", "ou_zhang"), ("+8613800138000", "ou_zhang"), ("8613900139000", "ou_li")]
            .into_iter()
            .enumerate()
    {
        let index = u8::try_from(index).unwrap();
        let mention = Mention { mobiles: vec![mobile.into()], ..Mention::default() };
        let card = office.tell(&asking_for(mention, index)).await;
        assert_eq!(card.mentioned, [id], "{mobile}");
        assert!(!card.message().unwrap().to_string().contains("00138000"));
    }
}

#[tokio::test]
async fn users_in_our_own_file_are_found_as_well() {
    let mut office = OwnersHarness::open_with_file(
        ("people.csv", "username,nickname,mobile,source_user_id\nZhangSan,张三,13800138000,ou_zhang\n"),
        &["ou_zhang"],
    )
    .await;
    let mention = Mention { usernames: vec!["zhangsan".into()], ..Mention::default() };
    assert_eq!(office.tell(&asking_for(mention, 1)).await.mentioned, ["ou_zhang"]);
}

#[tokio::test]
async fn a_user_table_that_does_not_answer_holds_no_card_up_and_is_used_again_when_it_does() {
    let people = People::on_mariadb().await;
    let proxy = ChaosProxy::start(People::server()).await;
    let mut office = OwnersHarness::open(people.config_at(proxy.address()), &["ou_zhang"]).await;
    for (index, trouble) in [(1, "stall"), (2, "cut")] {
        if trouble == "cut" {
            proxy.cut();
        } else {
            proxy.stall(Direction::Both);
        }
        let card = office.tell(&alert_of("order-service", index)).await;
        let text = card.message().unwrap().to_string();
        assert!(card.mentioned.is_empty() && text.contains("👤 zhangsan"), "{text}");
    }
    assert!(office.metric("larkfire_mentions_total{outcome=\"late\"} 2"));
    proxy.restore();
    let mut index = 10;
    let deadline = tokio::time::Instant::now() + WITHIN;
    loop {
        let card = office.tell(&alert_of("order-service", index)).await;
        if card.mentioned == ["ou_zhang"] {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "the table is back and not asked");
        index += 1;
    }
}

#[tokio::test]
async fn whom_feishu_does_not_know_costs_the_mentions_and_not_the_card() {
    let people = People::on_mariadb().await;
    let mut office = OwnersHarness::open(people.config(), &["ou_somebody_else"]).await;
    let card = office.tell(&alert_of("order-service", 1)).await;
    let text = card.message().unwrap().to_string();
    assert!(card.mentioned.is_empty() && text.contains("👤 张三") && !text.contains("<at"), "{text}");
    assert!(text.contains("\"card\""), "it is still a card: {text}");
    assert!(office.metric("larkfire_mentions_total{outcome=\"refused\"} 1"));
    assert!(office.metric("larkfire_card_repairs_total{kind=\"mention\"} 1"));
}

#[tokio::test]
async fn feishus_contacts_know_whom_the_table_does_not() {
    let contacts = [
        UserSettings::new("ou_wang").mobile("13700137000"),
        UserSettings::new("ou_ann").email("ann@corp.example"),
    ];
    let mut office =
        OwnersHarness::open_with_app(AppSettings::new(APP, APP_SECRET), contacts, &["ou_wang", "ou_ann"])
            .await;
    let mention = Mention {
        usernames: vec!["Ann@corp.example".into(), "nobody".into()],
        mobiles: vec!["+8613700137000".into()],
        ..Mention::default()
    };
    let mut mentioned = office.tell(&asking_for(mention.clone(), 1)).await.mentioned;
    mentioned.sort_unstable();
    assert_eq!(mentioned, ["ou_ann", "ou_wang"]);
    let asked = office.look_ups();
    office.tell(&asking_for(mention, 2)).await;
    assert_eq!((asked, office.look_ups()), (1, 1), "who is known and who is not is remembered");
}

#[tokio::test]
async fn contacts_that_are_closed_to_the_app_leave_the_names() {
    let app = AppSettings::new(APP, APP_SECRET).without_contact_scope();
    let mut office = OwnersHarness::open_with_app(app, [], &[]).await;
    let mention = Mention { usernames: vec!["ann@corp.example".into()], ..Mention::default() };
    let card = office.tell(&asking_for(mention, 1)).await;
    assert!(card.mentioned.is_empty() && card.verdict == Verdict::Accepted);
    assert!(card.message().unwrap().to_string().contains("👤 ann@corp.example"));
}

#[tokio::test]
async fn a_resolution_names_people_and_wakes_nobody() {
    let people = People::on_mariadb().await;
    let mut office = OwnersHarness::open(people.config(), &["ou_zhang"]).await;
    let mut over = alert_of("order-service", 1);
    over.alerts[0].status = Status::Resolved;
    let card = office.tell(&over).await;
    assert!(card.mentioned.is_empty());
    assert!(card.message().unwrap().to_string().contains("👤 张三"));
}

#[tokio::test]
async fn everybody_is_mentioned_only_where_the_receiver_allows_it() {
    let all = Mention { usernames: vec!["all".into()], ..Mention::default() };
    let mut office = OwnersHarness::open(OwnersConfig::default(), &[]).await;
    let card = office.tell(&asking_for(all.clone(), 1)).await;
    assert!(card.mentioned.is_empty() && card.message().unwrap().to_string().contains("👤 everybody"));
    let mut office = OwnersHarness::open_to_all().await;
    assert_eq!(office.tell(&asking_for(all, 1)).await.mentioned, ["all"]);
}
