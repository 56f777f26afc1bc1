//! `users import`, `users remove` and `users list`, and what `check --online` then finds.

use serde_json::json;
use testkit::rabbitmq::amqp_url;

use super::harness::Harness;

/// What no output may show.
const NUMBERS: [&str; 2] = ["13800138000", "8613900139000"];

fn harness() -> Harness {
    Harness::with(&format!("preview: true\nqueue: {{ url: '{}' }}", amqp_url()), &NUMBERS)
}

#[tokio::test]
async fn users_come_from_a_file_and_are_listed_without_their_numbers() {
    let harness = harness();
    let rows = "username,nickname,mobile,source_user_id\r\nzhangsan,张三,13800138000,feishu_ou_zhang\r\nlisi,,+86 139-0013-9000,\r\n";
    // As spreadsheets write it: with a mark in front.
    harness.write("people.csv", format!("\u{feff}{rows}").as_bytes());
    let (code, printed) = harness.command(&["users", "import", "people.csv"]).await;
    assert_eq!(code, Some(0), "{printed}");
    let (code, printed) = harness.command(&["users", "list"]).await;
    assert_eq!(code, Some(0), "{printed}");
    assert!(
        printed.contains("张三") && printed.contains("ou_zhang") && printed.contains("…8000"),
        "{printed}"
    );
    assert!(!printed.contains("feishu_"), "{printed}");
    let (_, printed) = harness.command(&["users", "list", "--json"]).await;
    assert!(printed.contains("\"username\": \"lisi\"") && printed.contains("…9000"), "{printed}");

    let (code, printed) = harness.command(&["check", "--online"]).await;
    assert_eq!(code, Some(0), "{printed}");
    let counted = "ok: user table: answers, rows: 2; with a user name: 2, a nickname: 1, a mobile: 2, an id: 1, of these open ids: 1";
    assert!(printed.contains(counted), "{printed}");

    let (code, printed) = harness.command(&["users", "remove", "lisi", "wangwu"]).await;
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains("removed 1 user") && printed.contains("not in the table: wangwu"), "{printed}");
    let (_, printed) = harness.command(&["users", "list"]).await;
    assert!(printed.contains("zhangsan") && !printed.contains("lisi"), "{printed}");
}

#[tokio::test]
async fn programs_are_told_in_json_what_was_imported_and_removed() {
    let harness = harness();
    harness.write("people.csv", b"username\nzhangsan\nlisi\n");
    let imported = harness.json(&["users", "import", "people.csv"]).await;
    assert_eq!(imported, (Some(0), json!({ "imported": 2, "file": "people.csv" })));
    let removed = harness.json(&["users", "remove", "lisi", "wangwu"]).await;
    assert_eq!(removed, (Some(1), json!({ "removed": ["lisi"], "unknown": ["wangwu"] })));
    let removed = harness.json(&["users", "remove", "zhangsan"]).await;
    assert_eq!(removed, (Some(0), json!({ "removed": ["zhangsan"], "unknown": [] })));
}

#[tokio::test]
async fn a_file_in_other_characters_is_refused_with_what_to_do_and_changes_nothing() {
    let harness = harness();
    // 张三 as GBK has it.
    harness.write("people.csv", b"username,nickname\nzhangsan,\xd5\xc5\xc8\xfd\n");
    let (code, printed) = harness.command(&["users", "import", "people.csv"]).await;
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains("people.csv: this is not UTF-8: save it as `CSV UTF-8`"), "{printed}");
    let (_, printed) = harness.command(&["users", "list"]).await;
    assert!(!printed.contains("zhangsan"), "{printed}");
}

#[tokio::test]
async fn a_user_table_of_the_operators_is_not_ours_to_fill() {
    let text = format!("queue: {{ url: '{}' }}\ndatabase: {{ url: 'mysql://u:hunter2@h/d' }}", amqp_url());
    let harness = Harness::with(&text, &["hunter2"]);
    harness.write("people.csv", b"username\nzhangsan\n");
    let (code, printed) = harness.command(&["users", "import", "people.csv"]).await;
    assert_eq!(code, Some(64), "{printed}");
    assert!(printed.contains("the user table is on a server and yours: change it there"), "{printed}");
}
