//! Texts as scripts and monitoring systems send them to bots.

use super::*;

#[test]
fn a_title_or_a_line_says_whether_it_is_over() {
    use Status::{Firing, Resolved};
    for (title, text, expected) in [
        ("【恢复】磁盘告警", "", Some(Resolved)),
        ("[RESOLVED] HighCPU", "", Some(Resolved)),
        ("[FIRING:1] HighCPU", "", Some(Firing)),
        ("[FIRING:1, RESOLVED:2] HighCPU", "", Some(Firing)),
        ("UptimeKuma Alert: [Up] web", "", Some(Resolved)),
        ("[web] [✅ Up] 200 - OK", "", Some(Resolved)),
        ("[web] [🔴 Down] timeout", "", Some(Firing)),
        ("磁盘告警 已恢复", "", Some(Resolved)),
        ("主库未恢复", "", Some(Firing)),
        ("Disaster recovery failed", "", None),
        ("Traffic is up 300%", "", None),
        ("夜莺告警", "级别状态: S2 Recovered\n规则名称: cpu", Some(Resolved)),
        ("夜莺告警", "级别状态: S2 Triggered\n规则名称: cpu", Some(Firing)),
        ("**告警**", "**状态**：恢复", Some(Resolved)),
        ("备份失败", "主机: db-1", None),
    ] {
        assert_eq!(status(title, text), expected, "{title} {text}");
    }
}

#[test]
fn a_problem_keeps_its_key_while_its_state_times_and_values_change() {
    let same = [
        (
            ("【告警】磁盘", "主机: db-1\n当前值: 97%\n时间: 2026-07-16 10:00:00"),
            ("【恢复】磁盘", "主机: db-1\n当前值: 20%\n时间: 2026-07-16 11:00:00"),
        ),
        (("[FIRING:1] HighCPU", "host web-01 at 93.5%"), ("[RESOLVED] HighCPU", "host web-01 at 12%")),
        (("UptimeKuma Alert: [Down] web", ""), ("UptimeKuma Alert: [Up] web", "")),
        (
            ("夜莺", "级别状态: S2 Triggered\n规则名称: cpu"),
            ("夜莺", "级别状态: S2 Recovered\n规则名称: cpu\n恢复时间: 1"),
        ),
    ];
    for ((title, text), (later, later_text)) in same {
        assert_eq!(key(title, text), key(later, later_text), "{title}");
    }
    let different = [
        (("磁盘", "主机: db-1"), ("磁盘", "主机: db-2")),
        (("down", "web-01"), ("down", "web-02")),
        (("port", "db:3306"), ("port", "db:3307")),
        (("port 8080", ""), ("port 8081", "")),
        (("[web] down", ""), ("[api] down", "")),
        (("10.0.0.1 down", ""), ("10.0.0.2 down", "")),
    ];
    for ((title, text), (other, other_text)) in different {
        assert_ne!(key(title, text), key(other, other_text), "{title}");
    }
}

#[test]
fn markdown_becomes_what_people_would_read() {
    let (text, link) = unformatted(
        "### **Down**\n> host: <font color=\"warning\">db-1</font>\n[详情](http://n9e/1) <at id=ou_1></at>x",
    );
    assert_eq!((text.as_str(), link.as_str()), ("Down\nhost: db-1\n详情 x", "http://n9e/1"));
    for plain in ["a < b and c > d", "[web] (1)", "x <y", "array[0]"] {
        assert_eq!(unformatted(plain).0, plain);
    }
}

#[test]
fn whoever_a_text_mentions_is_found() {
    let text = r#"<at user_id="ou_1">Tom</at> <at id=all></at> <@zhang> <at email="a@b.c"></at> a <at"#;
    assert_eq!(mentioned(text), ["ou_1", "all", "a@b.c", "zhang"]);
}
