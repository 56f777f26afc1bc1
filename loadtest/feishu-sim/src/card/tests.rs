use serde_json::{Value, json};

use crate::settings::BotSettings;

/// Checks a card in a group with one member; a refusal is told by its code, or by the sub-code inside 11246.
fn verdict(card: &Value) -> Result<Vec<String>, String> {
    verdict_in(&BotSettings::new("token").known_id("ou_member").template("AAq_shared"), card)
}

fn verdict_in(settings: &BotSettings, card: &Value) -> Result<Vec<String>, String> {
    super::check(card.as_object().unwrap(), &settings.audience).map_err(|refusal| {
        let sub_code = refusal.msg.split("ErrCode: ").nth(1).and_then(|rest| rest.split(';').next());
        sub_code.map_or(refusal.code.to_string(), str::to_owned)
    })
}

fn accepted(card: &Value) {
    assert_eq!(verdict(card), Ok(Vec::new()), "{card:#}");
}

fn refused(code: &str, card: &Value) {
    assert_eq!(verdict(card), Err(code.to_owned()), "{card:#}");
}

fn v1(element: &Value) -> Value {
    json!({"elements": [element]})
}

fn v2(element: &Value) -> Value {
    json!({"schema": "2.0", "body": {"elements": [element]}})
}

fn plain(content: &str) -> Value {
    json!({"tag": "plain_text", "content": content})
}

fn button(url: &str) -> Value {
    json!({"tag": "button", "text": plain("Open"), "type": "primary", "url": url})
}

fn action(button: &Value) -> Value {
    v1(&json!({"tag": "action", "actions": [button]}))
}

fn markdown(content: &str) -> Value {
    v1(&json!({"tag": "markdown", "content": content}))
}

#[test]
fn complete_alert_cards_of_both_schemas_are_accepted() {
    accepted(&json!({
        "config": {"update_multi": true, "enable_forward": true, "unknown_to_1_0": 1},
        "header": {"template": "red", "title": plain("[P1] api-gateway 5xx")},
        "elements": [
            {"tag": "div", "fields": [
                {"is_short": true, "text": {"tag": "lark_md", "content": "**Service**\napi-gateway"}},
                {"is_short": true, "text": {"tag": "lark_md", "content": "**Since**\n10:03 UTC"}}]},
            {"tag": "markdown", "content": "error rate &#62; 5 percent [logs](https://logs.example/q)"},
            {"tag": "hr"},
            {"tag": "action", "actions": [button("https://mon.example/a/1")]},
            {"tag": "note", "elements": [plain("id 1a2b")]}]}));
    accepted(&json!({
        "schema": "2.0",
        "config": {"update_multi": true, "summary": {"content": "api-gateway 5xx"}},
        "header": {"template": "red", "title": plain("api-gateway 5xx"), "text_tag_list": [
            {"tag": "text_tag", "text": plain("P1"), "color": "red"}]},
        "body": {"direction": "vertical", "elements": [
            {"tag": "markdown", "element_id": "facts", "content": "# 5xx\n`[a](b)` is code"},
            {"tag": "column_set", "flex_mode": "bisect", "columns": [
                {"tag": "column", "width": "weighted", "elements": [{"tag": "hr", "margin": "0px"}]}]},
            {"tag": "collapsible_panel", "expanded": false, "header": {"title": plain("more")}, "elements": [
                {"tag": "div", "text": plain("labels")}]},
            {"tag": "button", "text": plain("Open"), "behaviors": [
                {"type": "open_url", "default_url": "https://mon.example", "pc_url": ""}]}]}}));
    accepted(&json!({}));
}

#[test]
fn a_header_needs_a_title_and_a_known_colour_and_at_most_three_tags() {
    let tag = json!({"tag": "text_tag", "text": plain("P1"), "color": "neutral"});
    refused("200621", &json!({"header": {"template": "red"}}));
    refused("200621", &json!({"header": {"title": "a string"}}));
    refused("200621", &json!({"header": {"title": {"tag": "lark_md", "content": "1.0 takes plain_text"}}}));
    refused("200621", &json!({"header": {"template": "scarlet", "title": plain("x")}}));
    accepted(&json!({"header": {"title": plain("x"), "text_tag_list": [tag, tag, tag]}}));
    refused("200621", &json!({"header": {"title": plain("x"), "text_tag_list": [tag, tag, tag, tag]}}));
    refused(
        "200621",
        &json!({"header": {"title": plain("x"), "text_tag_list": [
        {"tag": "text_tag", "text": plain("P1"), "color": "pink"}]}}),
    );
}

#[test]
fn an_element_of_1_0_needs_a_known_tag_and_its_members() {
    for element in [
        json!("text"),
        json!({}),
        json!({"tag": "code_block", "content": "x"}),
        json!({"tag": "markdown"}),
        json!({"tag": "div"}),
        json!({"tag": "div", "text": {"tag": "markdown", "content": "x"}}),
        json!({"tag": "img", "img_key": "img_v2_1"}),
        json!({"tag": "note", "elements": [{"tag": "hr"}]}),
        json!({"tag": "column_set", "columns": [{"tag": "div"}]}),
        json!({"tag": "column_set", "flex_mode": "wrap", "columns": []}),
        json!({"tag": "collapsible_panel", "elements": []}),
        json!({"tag": "plain_text", "content": "not alone"}),
    ] {
        refused("200621", &v1(&element));
    }
    refused("200570", &v1(&json!({"tag": "img", "img_key": "logo.png", "alt": plain("")})));
    refused("200550", &v1(&json!({"tag": "chart", "chart_spec": "{}"})));
}

#[test]
fn a_button_of_1_0_stands_in_an_action_and_an_action_in_no_column() {
    let column = |element: Value| {
        v1(&json!({"tag": "column_set", "columns": [{"tag": "column", "elements": [element]}]}))
    };
    refused("200621", &v1(&button("https://x.example")));
    accepted(&action(&button("https://x.example")));
    accepted(&column(button("https://x.example")));
    accepted(&v1(&json!({"tag": "div", "text": plain("x"), "extra": button("https://x.example")})));
    refused("200410", &column(json!({"tag": "action", "actions": []})));
    refused("200621", &action(&json!({"tag": "markdown", "content": "no button"})));
}

#[test]
fn links_need_an_explicit_http_or_https_scheme_and_a_host() {
    accepted(&action(&button("HTTPS://mon.example/a?b=c#d")));
    for url in [
        "mon.example",
        "//mon.example",
        "ftp://mon.example",
        "javascript:alert(1)",
        "https://",
        "http:///x",
        "http://a b",
    ] {
        refused("200621", &action(&button(url)));
        refused("200621", &markdown(&format!("[logs]({url})")));
        refused("200621", &markdown(&format!("<a href='{url}'>logs</a>")));
        refused("200621", &json!({"card_link": {"url": url}}));
    }
    accepted(
        &json!({"card_link": {"url": "https://x.example", "pc_url": "lark://msgcard/unsupported_action"}}),
    );
    accepted(&markdown("`[a](b)` and ```\n[c](d)\n``` are code, &#91;e&#93;(f) is text"));
    accepted(&markdown("![x](img_v2_1)"));
    refused("200570", &markdown("![x](https://x.example/a.png)"));
}

#[test]
fn a_button_has_a_short_plain_text_a_known_type_and_one_kind_of_link() {
    let with = |name: &str, value: Value| {
        let mut button = button("https://x.example");
        button[name] = value;
        action(&button)
    };
    refused("200621", &with("text", json!("Open")));
    accepted(&with("text", plain(&"好".repeat(100))));
    refused("200621", &with("text", plain(&"好".repeat(101))));
    refused("200621", &with("type", json!("huge")));
    refused("200621", &with("multi_url", json!({"url": "https://x.example"})));
    refused("200621", &with("behaviors", json!([{"type": "open_url", "default_url": "x.example"}])));
    refused("200621", &with("behaviors", json!([{"type": "open_url"}])));
    accepted(&with("behaviors", json!([{"type": "callback", "value": {"ack": 1}}])));
    refused("200621", &with("confirm", json!({"title": plain("Sure?")})));
}

#[test]
fn schema_2_0_refuses_unknown_properties_and_tags() {
    refused("200861", &json!({"schema": "2.0", "body": {}, "elements": []}));
    refused("200861", &json!({"schema": "2.0", "body": {}, "i18n_elements": {}}));
    refused("200861", &json!({"schema": "2.0", "body": {}, "config": {"wide_screen_mode": true}}));
    refused("200861", &json!({"schema": "2.0", "body": {}, "header": {"title": plain("x"), "i18n": {}}}));
    refused("200861", &v2(&json!({"tag": "note", "elements": []})));
    refused("200861", &v2(&json!({"tag": "action", "actions": []})));
    refused("200861", &v2(&json!({"tag": "markdown", "content": "x", "href": {}})));
    refused("200861", &v2(&button("https://legacy.example")));
    refused("200861", &v2(&json!({"tag": "div", "text": {"tag": "plain_text", "content": "x", "i18n": {}}})));
    refused("200861", &v2(&json!({"tag": "div", "fields": [{"is_short": true, "text": plain("x")}]})));
    refused("200861", &json!({"schema": "2.0", "body": {}, "config": {"summary": {"text": "x"}}}));
    let tag = json!({"tag": "text_tag", "text": plain("P1"), "colour": "red"});
    refused(
        "200861",
        &json!({"schema": "2.0", "body": {}, "header": {"title": plain("x"), "text_tag_list": [tag]}}),
    );
}

#[test]
fn panels_tables_and_buttons_of_2_0_have_documented_properties_with_documented_values() {
    let panel = |header: Value| {
        v2(
            &json!({"tag": "collapsible_panel", "header": header, "border": {"color": "grey"}, "elements": []}),
        )
    };
    let icon = json!({"tag": "standard_icon", "token": "down-small-ccm_outlined", "size": "16px 16px"});
    accepted(&panel(json!({"title": plain("more"), "icon": icon, "icon_expanded_angle": -180})));
    refused("200861", &panel(json!({"title": plain("more"), "colour": "red"})));
    refused("200621", &panel(json!({"title": plain("more"), "icon_expanded_angle": 45})));
    refused("200621", &panel(json!({"title": {"tag": "lark_md", "content": "more"}})));
    let table = |column: Value| {
        v2(&json!({"tag": "table", "page_size": 10, "columns": [column], "rows": [{"a": "x"}]}))
    };
    accepted(&table(json!({"name": "a", "display_name": "pod", "data_type": "text"})));
    refused("200861", &table(json!({"name": "a", "title": "pod", "data_type": "text"})));
    refused("200621", &table(json!({"name": "a", "display_name": 1, "data_type": "text"})));
    let button =
        |behaviors: Value| v2(&json!({"tag": "button", "text": plain("Open"), "behaviors": behaviors}));
    accepted(&button(json!([{"type": "callback", "value": {"ack": 1}}])));
    refused("200621", &button(json!([{"type": "callback", "value": "ack"}])));
    refused("200861", &button(json!([{"type": "open_url", "default_url": "https://x.example", "url": ""}])));
    refused("200621", &v2(&json!({"tag": "button", "text": plain("Open")})));
    let column = |column: Value| v2(&json!({"tag": "column_set", "flex_mode": "flow", "columns": [column]}));
    accepted(&column(json!({"tag": "column", "width": "120px", "weight": 5, "elements": []})));
    refused("200621", &column(json!({"tag": "column", "width": "wide", "elements": []})));
    refused("200621", &column(json!({"tag": "column", "weight": 6, "elements": []})));
}

#[test]
fn a_card_is_judged_without_a_group() {
    let mention = json!({"elements": [{"tag": "markdown", "content": "<at id=ou_ann></at>"}]});
    assert_eq!(crate::judge_card(&mention, &["ou_ann"]), Ok(()));
    assert_eq!(crate::judge_card(&mention, &[]).unwrap_err().code, 11246);
    assert_eq!(crate::judge_card(&json!([]), &[]).unwrap_err().code, 19002);
}

#[test]
fn schema_2_0_needs_a_body_unique_element_ids_and_shared_updates() {
    refused("200621", &json!({"schema": "2.0"}));
    refused("200621", &json!({"schema": "3.0", "body": {}}));
    refused("200621", &json!({"schema": "2.0", "body": {}, "config": {"update_multi": false}}));
    for id in ["1st", "with-dash", "a_name_of_21_letters_"] {
        refused("200621", &v2(&json!({"tag": "hr", "element_id": id})));
    }
    let rule = json!({"tag": "hr", "element_id": "rule"});
    refused("200621", &json!({"schema": "2.0", "body": {"elements": [rule, rule]}}));
}

#[test]
fn schema_2_0_takes_200_elements_and_1_0_more() {
    let rules = |count: usize| vec![json!({"tag": "hr"}); count];
    accepted(&json!({"schema": "2.0", "body": {"elements": rules(200)}}));
    refused("11310", &json!({"schema": "2.0", "body": {"elements": rules(201)}}));
    accepted(&json!({"elements": rules(201)}));
}

#[test]
fn a_card_takes_five_tables_at_its_root_with_rows_that_fit_their_columns() {
    let table = |rows: Value| {
        json!({"tag": "table", "rows": rows, "columns": [
            {"name": "pod", "data_type": "text"}, {"name": "restarts", "data_type": "number"}]})
    };
    let fine = table(json!([{"pod": "api-1", "restarts": 3}]));
    accepted(&json!({"elements": vec![fine.clone(); 5]}));
    refused("11310", &json!({"elements": vec![fine.clone(); 6]}));
    refused("200914", &v1(&table(json!([{"pod": "api-1", "restarts": "3"}]))));
    refused("200915", &v1(&table(json!([{"node": "n1"}]))));
    refused("200621", &v1(&json!({"tag": "table", "columns": [], "rows": []})));
    refused("200621", &v1(&json!({"tag": "column_set", "columns": [{"tag": "column", "elements": [fine]}]})));
}

#[test]
fn containers_nest_five_deep_and_no_deeper() {
    let nested = |depth: usize| {
        (0..depth).fold(
            json!({"tag": "hr"}),
            |inner, _| json!({"tag": "column_set", "columns": [{"tag": "column", "elements": [inner]}]}),
        )
    };
    accepted(&v1(&nested(5)));
    refused("200621", &v1(&nested(6)));
}

#[test]
fn a_card_mentions_members_by_open_id_only() {
    let mentioned = |ids: &[&str]| Ok(ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>());
    assert_eq!(verdict(&markdown("<at id=ou_member></at>")), mentioned(&["ou_member"]));
    assert_eq!(
        verdict(&markdown("<at id=\"ou_member\"></at><at id=all></at>")),
        mentioned(&["ou_member", "all"])
    );
    refused("100290", &markdown("<at id=ou_stranger></at>"));
    refused("100290", &markdown("<at ids=ou_member,ou_stranger></at>"));
    refused("100290", &markdown("<at email=ann@example.com></at>"));
    refused("100290", &markdown("<at user_id=\"ou_member\">the attribute of message text</at>"));
    refused(
        "100290",
        &v1(&json!({"tag": "div", "text": {"tag": "lark_md", "content": "<at id=u123></at>"}})),
    );
    refused("100290", &v2(&json!({"tag": "markdown", "content": "```\n<at id=ou_stranger></at>\n```"})));
    accepted(&markdown("&#60;at id=ou_stranger&#62;"));
    accepted(&v1(&json!({"tag": "div", "text": plain("<at id=ou_stranger></at>")})));
}

#[test]
fn mentioning_everybody_needs_the_groups_permission() {
    let strict = BotSettings::new("token").forbid_at_all();
    assert_eq!(verdict_in(&strict, &markdown("<at id=all></at>")), Err("11235".to_owned()));
}

#[test]
fn a_template_has_to_be_shared_with_the_bot() {
    let template = |id: &str| json!({"type": "template", "data": {"template_id": id}});
    accepted(&template("AAq_shared"));
    refused("200381", &template("AAq_other"));
}
