//! Every code the reference names, every HTTP status, and what must hold for any answer at all.

use proptest::prelude::*;

use super::*;

/// The word of the verdict on an answer with HTTP 200, as hooks answer most refusals.
fn on(code: i64, msg: &str) -> String {
    let body = serde_json::json!({ "code": code, "msg": msg, "data": {} }).to_string();
    word(&read(200, body.as_bytes(), None))
}

fn word(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Repair(repair, _) => repair.as_str().to_owned(),
        Verdict::Ok
        | Verdict::SlowDown { .. }
        | Verdict::TryAgain { .. }
        | Verdict::MayHaveArrived { .. }
        | Verdict::Unknown { .. }
        | Verdict::Unreachable(_)
        | Verdict::Broken(_)
        | Verdict::GiveUp(_) => verdict.as_str().to_owned(),
    }
}

fn bare(status: u16) -> String {
    word(&read(status, b"<html>gateway</html>", None))
}

#[test]
fn every_code_of_the_reference_has_its_verdict() {
    for (code, msg, expected) in [
        (0, "success", "ok"),
        (9499, "Bad Request", "card"),
        (9499, "too many request", "slow_down"),
        (9499, "Bad Request: request body too large", "too_large"),
        (4000, "invalid param", "card"),
        (10001, "invalid param", "card"),
        (10003, "invalid param", "card"),
        (10100, "bad request", "card"),
        (10400, "bad request", "card"),
        (19001, "param invalid: incoming webhook access token invalid", "broken"),
        (19002, "params error, can't find msg_type", "card"),
        (19007, "Bot Not Enabled", "broken"),
        (19021, "sign match fail or timestamp is not within one hour from current time", "signature"),
        (19022, "Ip Not Allowed", "broken"),
        (19024, "Key Words Not Found", "broken"),
        (19036, "message exceeds size limit of 30KB", "too_large"),
        (11232, "create message service trigger rate limit", "slow_down"),
        (11232, "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]", "slow_down"),
        (11233, "create message chat trigger rate limit", "slow_down"),
        (11247, "internal send message trigger rate limit", "slow_down"),
        (11246, "create message content fail, ErrCode: 100290; ErrMsg: invalid user", "mention"),
        (11246, "create message content fail: Service Internal Error", "try_again"),
        (11246, "create message content fail", "card"),
        (11230, "bot may not send this message type", "card"),
        (11235, "only admin can mention @All", "mention"),
        (11237, "group dissolved", "broken"),
        (11231, "chat not found", "broken"),
        (11213, "chat not found", "broken"),
        (11242, "chat banned", "broken"),
        (11248, "sensitive content", "give_up"),
        (11312, "audit failed", "give_up"),
        (18054, "audit failed", "give_up"),
        (10002, "bot not in chat", "broken"),
        (10030, "bot not in chat", "broken"),
        (18121, "same create request is being processed", "try_again"),
        (2200, "internal error", "slow_down"),
        (1663, "internal error", "try_again"),
        (1668, "internal error", "try_again"),
        (5000, "internal error", "try_again"),
        (10101, "internal error", "try_again"),
        (10105, "internal error", "try_again"),
        (10500, "internal error", "try_again"),
        (99_991_400, "request trigger frequency limit", "slow_down"),
        (99_991_401, "ip denied by app setting", "broken"),
        (100_290, "invalid user", "mention"),
        (777_777, "something new", "unknown"),
    ] {
        assert_eq!(on(code, msg), expected, "{code} {msg}");
    }
}

#[test]
fn every_code_within_a_refused_card_has_its_verdict() {
    let inside = |sub: i64, said: &str| {
        on(230_099, &format!("Failed to create card content, ext=ErrCode: {sub}; ErrMsg: {said};"))
    };
    for sub in [
        11310, 200_380, 200_381, 200_410, 200_550, 200_621, 200_732, 200_737, 200_861, 200_914, 200_915,
        300_240, 999_999,
    ] {
        assert_eq!(inside(sub, "refused"), "card", "{sub}");
    }
    assert_eq!(inside(100_290, "invalid user resource"), "mention");
    assert_eq!(inside(200_570, "invalid image key"), "picture");
    assert_eq!(inside(11310, "card table number over limit"), "card");
    assert_eq!(inside(11310, "card action is lock"), "try_again");
}

/// The reference, whose tables have for each code what it means and what is made of it.
const REFERENCE: &str = include_str!("../../../../docs/reference/feishu.md");

/// The verdict that a row of the reference gives, in the word of `word`; `None` where the row leaves it to others.
fn promised(verdict: &str) -> Option<&'static str> {
    let words = [
        ("ok", "ok"),
        ("slow down", "slow_down"),
        ("try again", "try_again"),
        ("repair: shorter", "too_large"),
        ("repair: as text", "card"),
        ("repair: without mentions", "mention"),
        ("repair: signed anew", "signature"),
        ("once more with a new token, then broken", "broken"),
        ("broken", "broken"),
        ("give up", "give_up"),
    ];
    let found = words.into_iter().find(|(begin, _)| verdict.starts_with(begin));
    assert!(found.is_some() || verdict.starts_with("by 3.8"), "{verdict}");
    found.map(|(_, word)| word)
}

#[test]
fn the_reference_says_of_each_code_what_becomes_of_it() {
    let mut rows = 0;
    for line in REFERENCE.lines().filter_map(|line| line.strip_prefix("| ")) {
        let [codes, meaning, verdict, _source] = line.split(" | ").collect::<Vec<_>>()[..] else { continue };
        let codes: Vec<i64> = codes.split(", ").filter_map(|code| code.parse().ok()).collect();
        if codes.is_empty() {
            continue;
        }
        let Some(expected) = promised(verdict) else { continue };
        rows += 1;
        for code in codes {
            // What Feishu says decides for some of them; the row quotes it.
            assert_eq!(on(code, meaning), expected, "{code} {meaning}");
        }
    }
    assert!(rows > 50, "{rows} rows were found");
}

#[test]
fn every_status_without_an_answer_of_feishus_can_be_tried_again() {
    for status in 100..=599 {
        let expected = match status {
            429 => "slow_down",
            413 => "too_large",
            408 | 425 | 503 => "try_again",
            200..=299 | 500.. => "may_have_arrived",
            _ => "unknown",
        };
        assert_eq!(bare(status), expected, "{status}");
    }
}

#[test]
fn a_503_of_a_proxy_that_lost_a_request_under_way_is_not_taken_for_a_refusal() {
    let envoy =
        "upstream connect error or disconnect/reset before headers. reset reason: connection termination";
    assert_eq!(word(&read(503, envoy.as_bytes(), None)), "may_have_arrived");
    assert_eq!(word(&read(503, b"no healthy upstream", None)), "try_again");
}

#[test]
fn a_gateway_that_waited_in_vain_is_as_slow_as_a_request_that_timed_out() {
    for (status, expected) in [(504, true), (502, false)] {
        let Verdict::MayHaveArrived { timed_out, trouble, .. } = read(status, b"", None) else {
            panic!("{status}")
        };
        assert_eq!((timed_out, trouble.may_have_arrived), (expected, true), "{status}");
    }
}

#[test]
fn a_success_is_one_however_its_zero_is_written() {
    for body in [
        r#"{"code":"0","msg":"success"}"#,
        r#"{"code":0.0,"msg":null}"#,
        r#"{"code":" 0 ","msg":{"text":"success"}}"#,
        r#"{"code":null,"StatusCode":0}"#,
        r#"{"code":0,"msg":"success","code":0}"#,
        "\u{feff}{\"code\":0}",
    ] {
        assert_eq!(read(200, body.as_bytes(), None), Verdict::Ok, "{body}");
    }
    for body in [r#"{"code":"0x","msg":""}"#, r#"{"code":0.5}"#, r#"{"code":true}"#, "[0]", "0", "{}", ""] {
        assert_eq!(word(&read(200, body.as_bytes(), None)), "may_have_arrived", "{body}");
    }
    assert_eq!(word(&read(200, br#"{"code":"19024","msg":"Key Words Not Found"}"#, None)), "broken");
}

#[test]
fn a_success_needs_a_code_of_0_and_a_2xx() {
    for status in 100..=599 {
        for body in
            [r#"{"code":0,"msg":"success"}"#, r#"{"StatusCode":0,"StatusMessage":"success","Extra":null}"#]
        {
            let succeeded = read(status, body.as_bytes(), None) == Verdict::Ok;
            assert_eq!(succeeded, (200..300).contains(&status), "{status} {body}");
        }
    }
}

#[test]
fn the_old_name_of_the_code_does_not_outweigh_the_new_one() {
    let body = br#"{"StatusCode":0,"StatusMessage":"success","code":19024,"msg":"Key Words Not Found"}"#;
    assert_eq!(word(&read(200, body, None)), "broken");
}

#[test]
fn an_unknown_code_is_never_given_up_by_itself() {
    for status in 100..=599 {
        let body = br#"{"code":777777,"msg":"something new"}"#;
        let expected = match status {
            429 => "slow_down",
            408 | 425 | 503 => "try_again",
            500..=599 => "may_have_arrived",
            _ => "unknown",
        };
        assert_eq!(word(&read(status, body, None)), expected, "{status}");
    }
}

#[test]
fn a_reset_header_becomes_the_hint() {
    let wait = Some(Duration::from_secs(7));
    let body = br#"{"code":99991400,"msg":"request trigger frequency limit"}"#;
    let Verdict::SlowDown { hint, trouble } = read(400, body, wait) else { panic!("not slowed down") };
    assert_eq!((hint, trouble.code), (wait, Some(99_991_400)));
}

#[test]
fn a_request_in_flight_is_not_repeated_within_a_second() {
    let Verdict::TryAgain { hint, .. } = read(200, br#"{"code":18121,"msg":"same"}"#, None) else {
        panic!("not tried again")
    };
    assert_eq!(hint, Some(SAME_REQUEST_PAUSE));
}

#[test]
fn what_was_said_is_kept_without_urls() {
    let body = br#"{"code":19001,"msg":"invalid: https://open.feishu.cn/open-apis/bot/v2/hook/0123-token"}"#;
    let Verdict::Broken(trouble) = read(200, body, None) else { panic!("not broken") };
    assert_eq!(trouble, Trouble::with_code(19001, "invalid: (URL)".to_owned()));
}

proptest! {
    #[test]
    fn nothing_but_a_code_of_0_is_ever_a_success(status in 0_u16..1000, code in any::<i64>(), msg in ".{0,40}") {
        prop_assume!(code != 0);
        let body = serde_json::json!({ "code": code, "msg": msg, "StatusCode": 0 }).to_string();
        prop_assert_ne!(read(status, body.as_bytes(), None), Verdict::Ok);
    }

    #[test]
    fn any_bytes_have_a_verdict(status in 0_u16..1000, body in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_ne!(read(status, &body, None), Verdict::Ok);
    }
}
