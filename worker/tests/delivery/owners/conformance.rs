//! Both kinds of user table keep the same promises.

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection, Executor};
use testkit::chaos_proxy::{ChaosProxy, Direction};
use tokio::time::Instant;

use super::contention::{Engine, ManyOwners, Somebody};
use super::harness::People;
use crate::harness::WITHIN;

macro_rules! on_both {
    ($($promise:ident)*) => { $(
        mod $promise {
            #[tokio::test]
            async fn mariadb() {
                super::promises::$promise(super::Engine::MariaDb).await;
            }

            #[tokio::test]
            async fn sqlite() {
                super::promises::$promise(super::Engine::Sqlite).await;
            }
        }
    )* };
}

on_both! {
    an_id_is_freed_of_its_prefix_and_is_fine_without
    a_mobile_is_found_however_it_is_kept_and_however_it_is_asked_for
    of_two_who_share_a_mobile_the_one_with_an_id_is_mentioned
    what_is_not_filled_in_costs_only_itself
    a_name_is_itself_whatever_is_in_it
    a_name_is_found_in_any_case
    who_is_unknown_takes_nobody_along
    fifty_people_of_one_card_are_one_question
}

mod promises {
    use super::*;

    pub(super) async fn an_id_is_freed_of_its_prefix_and_is_fine_without(engine: Engine) {
        let people: [Somebody; 3] = [
            ("zhangsan", Some("张三"), None, Some("feishu_ou_zhang")),
            ("lisi", Some("李四"), None, Some("ou_li")),
            // No prefix of ours: part of the id, which is then no open id.
            ("wangwu", Some("王五"), None, Some("lark_ou_wang")),
        ];
        let mut crowd = ManyOwners::of(engine, &people).await;
        let (mentioned, card) = crowd.card_for(&["zhangsan", "lisi", "wangwu"], &[]).await;
        assert_eq!(mentioned, ["ou_li", "ou_zhang"], "{card}");
        assert!(card.contains("王五") && !card.contains("ou_wang"), "{card}");
    }

    pub(super) async fn a_mobile_is_found_however_it_is_kept_and_however_it_is_asked_for(engine: Engine) {
        let people: [Somebody; 4] = [
            ("a", Some("甲"), Some("13800138000"), Some("ou_a")),
            ("b", Some("乙"), Some("+8613900139000"), Some("ou_b")),
            ("c", Some("丙"), Some("8613700137000"), Some("ou_c")),
            ("d", Some("丁"), Some("+4915112345678"), Some("ou_d")),
        ];
        let mut crowd = ManyOwners::of(engine, &people).await;
        for form in ["", "+86", "86", "0086", "+86 "] {
            let asked = ["13800138000", "13900139000", "13700137000"].map(|mobile| format!("{form}{mobile}"));
            let (mentioned, card) = crowd.card_for(&[], &asked.each_ref().map(String::as_str)).await;
            assert_eq!(mentioned, ["ou_a", "ou_b", "ou_c"], "{form}");
            for (_, _, mobile, _) in people {
                let bare = mobile.unwrap().trim_start_matches("+86");
                assert!(!card.contains(bare), "a number on {card}");
            }
        }
        let (mentioned, _) = crowd.card_for(&[], &["+49 1511 2345678", "4915112345678"]).await;
        assert_eq!(mentioned, ["ou_d"], "without its + a foreign number is none");
    }

    pub(super) async fn of_two_who_share_a_mobile_the_one_with_an_id_is_mentioned(engine: Engine) {
        let people: [Somebody; 3] = [
            ("a-shared", Some("值班"), Some("13800138000"), None),
            ("b-old", Some("旧号"), Some("13800138000"), Some("7ab3c")),
            ("c-now", Some("张三"), Some("13800138000"), Some("ou_zhang")),
        ];
        let mut crowd = ManyOwners::of(engine, &people).await;
        let (mentioned, card) = crowd.card_for(&[], &["13800138000"]).await;
        assert_eq!(mentioned, ["ou_zhang"], "{card}");
    }

    pub(super) async fn what_is_not_filled_in_costs_only_itself(engine: Engine) {
        let people: [Somebody; 5] = [
            ("nothing", None, None, None),
            ("empty", Some(""), Some(""), Some("")),
            ("only-nickname", Some("甲"), None, None),
            ("only-mobile", None, Some("13800138000"), None),
            ("only-id", None, None, Some("ou_id")),
        ];
        let mut crowd = ManyOwners::of(engine, &people).await;
        let names = people.map(|(name, ..)| name);
        let (mentioned, card) = crowd.card_for(&names, &[]).await;
        assert_eq!(mentioned, ["ou_id"], "{card}");
        for shown in ["nothing", "empty", "甲", "only-mobile"] {
            assert!(card.contains(shown), "{shown} is missing in {card}");
        }
        assert!(!card.contains("only-nickname") && !card.contains("13800138000"), "{card}");
    }

    pub(super) async fn a_name_is_itself_whatever_is_in_it(engine: Engine) {
        let people: [Somebody; 10] = [
            ("' OR '1'='1' --", None, None, Some("ou_1")),
            ("%", None, None, Some("ou_2")),
            ("_", None, None, Some("ou_3")),
            (r#"a"b\"#, None, None, Some("ou_4")),
            ("`select`", None, None, Some("ou_5")),
            ("王 五", None, None, Some("ou_6")),
            ("🔥", None, None, Some("ou_7")),
            ("O'Brien", None, None, Some("ou_8")),
            ("a.b+c@corp.example", None, None, Some("ou_9")),
            ("0", None, None, Some("ou_10")),
        ];
        let mut crowd = ManyOwners::of(engine, &people).await;
        for (name, .., id) in people {
            let (mentioned, card) = crowd.card_for(&[name], &[]).await;
            assert_eq!(mentioned, [id.unwrap()], "{name}: {card}");
        }
        // Neither a pattern, nor the beginning of a name, nor a number that texts would be equal to.
        let (mentioned, card) = crowd.card_for(&["%%", "O'", "王五", "00", "*"], &[]).await;
        assert!(mentioned.is_empty(), "{card}");
    }

    pub(super) async fn a_name_is_found_in_any_case(engine: Engine) {
        let people: [Somebody; 2] =
            [("ZhangSan", None, None, Some("ou_zhang")), ("lisi", None, None, Some("ou_li"))];
        let mut crowd = ManyOwners::of(engine, &people).await;
        let (mentioned, card) = crowd.card_for(&["zhangsan", "LiSi"], &[]).await;
        assert_eq!(mentioned, ["ou_li", "ou_zhang"], "{card}");
        let (mentioned, card) = crowd.card_for(&["ZHANGSAN", "zhangsan", "@ZhangSan "], &[]).await;
        assert_eq!(mentioned, ["ou_zhang"], "once, however often: {card}");
    }

    pub(super) async fn who_is_unknown_takes_nobody_along(engine: Engine) {
        let people: [Somebody; 1] = [("zhangsan", Some("张三"), Some("13800138000"), Some("ou_zhang"))];
        let mut crowd = ManyOwners::of(engine, &people).await;
        let long = "x".repeat(128);
        let (mentioned, card) =
            crowd.card_for(&["nobody", "zhangsan", &long, "\u{0}\u{202e}"], &["13900139000"]).await;
        assert_eq!(mentioned, ["ou_zhang"], "{card}");
        assert!(card.contains("nobody") && !card.contains("13900139000"), "{card}");
        assert!(crowd.office.metric("larkfire_mentions_total{outcome=\"unknown\"} 4"));
        assert!(crowd.office.metric("larkfire_directory_failures_total{source=\"table\"} 0"));
    }

    pub(super) async fn fifty_people_of_one_card_are_one_question(engine: Engine) {
        let people: [Somebody; 1] = [("zhangsan", None, None, Some("ou_zhang"))];
        let mut crowd = ManyOwners::of(engine, &people).await;
        let strangers: Vec<String> = (0..49).map(|number| format!("stranger{number}")).collect();
        let names: Vec<&str> = ["zhangsan"].into_iter().chain(strangers.iter().map(String::as_str)).collect();
        let (mentioned, card) = crowd.card_for(&names, &[]).await;
        assert_eq!(mentioned, ["ou_zhang"], "{card}");
        assert!(crowd.office.metric("larkfire_mentions_total{outcome=\"beyond\"} 40"));
    }
}

const ZHANGSAN: [Somebody; 1] = [("zhangsan", Some("张三"), None, Some("ou_zhang"))];

/// A card names zhangsan now, and mentions them once the table is free again.
async fn comes_back(mut crowd: ManyOwners, free: impl AsyncFnOnce()) {
    let begun = Instant::now();
    let (mentioned, card) = crowd.card_for(&["zhangsan"], &[]).await;
    assert!(mentioned.is_empty() && card.contains("👤 zhangsan"), "{card}");
    assert!(begun.elapsed() < WITHIN, "{:?}", begun.elapsed());
    assert!(crowd.office.metric("larkfire_mentions_total{outcome=\"late\"} 1"));
    free().await;
    let deadline = Instant::now() + WITHIN;
    while crowd.card_for(&["zhangsan"], &[]).await.0 != ["ou_zhang"] {
        assert!(Instant::now() < deadline, "the table is free again and not asked");
    }
}

#[tokio::test]
async fn a_table_on_mariadb_that_does_not_answer_holds_no_card_up() {
    let proxy = ChaosProxy::start(People::server()).await;
    let crowd = ManyOwners::on_mariadb(&ZHANGSAN, proxy.address()).await;
    proxy.stall(Direction::Both);
    comes_back(crowd, async || proxy.restore()).await;
}

#[tokio::test]
async fn a_table_in_a_file_that_lost_a_column_holds_no_card_up() {
    let crowd = ManyOwners::of(Engine::Sqlite, &ZHANGSAN).await;
    let options = SqliteConnectOptions::new().filename(crowd.office.file());
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    connection.execute("ALTER TABLE larkfire_users RENAME COLUMN mobile TO mislaid").await.unwrap();
    comes_back(crowd, async || {
        connection.execute("ALTER TABLE larkfire_users RENAME COLUMN mislaid TO mobile").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn of_two_rows_with_one_name_the_one_that_can_be_mentioned_counts() {
    for rows in [
        "('zhangsan', '旧', NULL, '7ab3c'), ('zhangsan', '新', NULL, 'ou_zhang')",
        "('ZhangSan', '新', NULL, 'ou_zhang'), ('zhangsan', '旧', NULL, '7ab3c'), ('zhangsan', NULL, NULL, NULL)",
    ] {
        let statements = [
            "CREATE TABLE staff (a VARCHAR(64), b VARCHAR(64), c VARCHAR(64), d VARCHAR(64))",
            &format!("INSERT INTO staff VALUES {rows}"),
        ];
        let mut crowd = ManyOwners::with_table(&statements, &["ou_zhang"]).await;
        let (mentioned, card) = crowd.card_for(&["zhangsan"], &[]).await;
        assert_eq!(mentioned, ["ou_zhang"], "{card}");
    }
}

#[tokio::test]
async fn a_table_of_another_character_set_or_of_numbers_answers_for_any_name() {
    for columns in [
        "a VARCHAR(64), b VARCHAR(64), c VARCHAR(64), d VARCHAR(64)) CHARACTER SET latin1",
        "a VARCHAR(64), b VARCHAR(64), c VARCHAR(64), d VARCHAR(64)) CHARACTER SET utf8mb3 COLLATE utf8mb3_bin",
        "a VARBINARY(64), b BLOB, c CHAR(13), d TEXT)",
        "a INT, b VARCHAR(64), c BIGINT UNSIGNED, d VARCHAR(64)) CHARACTER SET ascii",
    ] {
        let statements = [
            &format!("CREATE TABLE staff ({columns}"),
            "INSERT INTO staff VALUES ('4711', 'Zhang', '8613800138000', 'feishu_ou_zhang')",
        ];
        let mut crowd = ManyOwners::with_table(&statements, &["ou_zhang"]).await;
        let (mentioned, card) = crowd.card_for(&["4711", "张三", "🔥", "O'Brien"], &[]).await;
        assert_eq!(mentioned, ["ou_zhang"], "{columns}: {card}");
        let (mentioned, card) = crowd.card_for(&["4711x", "张三"], &["13800138000"]).await;
        assert_eq!(mentioned, ["ou_zhang"], "{columns}: {card}");
        assert!(crowd.office.metric("larkfire_directory_failures_total{source=\"table\"} 0"), "{columns}");
    }
}
