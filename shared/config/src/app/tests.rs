use crate::{Config, Environment, ReceiverConfig, ReceiverDestination, ResolvedNews, parse};

const APP: &str = "app: { id: cli_a, secret: s }\n";

fn read(text: &str, pairs: &[(&str, &str)]) -> Result<Config, String> {
    let environment: Environment = pairs.iter().copied().collect();
    parse("larkfire.yaml", text, environment).map_err(|errors| errors.to_string())
}

fn chat(receiver: &ReceiverConfig) -> Option<&str> {
    match &receiver.destination {
        ReceiverDestination::AppChat { chat_id } => Some(chat_id),
        ReceiverDestination::Bots { .. } | ReceiverDestination::CustomBot { .. } => None,
    }
}

#[test]
fn three_variables_make_the_default_receiver_a_chat_of_the_app() {
    let variables = [("FEISHU_APP_ID", "cli_a"), ("FEISHU_APP_SECRET", "s3cret"), ("FEISHU_CHAT_ID", "oc_1")];
    let config = read("", &variables).unwrap();
    let app = config.app.unwrap();
    assert_eq!((app.id.as_str(), app.secret.expose()), ("cli_a", "s3cret"));
    assert_eq!((app.base_url.as_str(), app.resolved), ("https://open.feishu.cn", ResolvedNews::Reply));
    assert_eq!((config.receivers.len(), config.receivers[0].name.as_str()), (1, "default"));
    assert_eq!(chat(&config.receivers[0]), Some("oc_1"));
    assert!(config.notes.is_empty(), "{:?}", config.notes);
}

#[test]
fn an_app_alone_sends_nowhere_and_a_webhook_beside_it_stays_one() {
    let url = ("FEISHU_WEBHOOK_URL", "https://h/x");
    let app = [("FEISHU_APP_ID", "cli_a"), ("FEISHU_APP_SECRET", "s"), url];
    assert!(read("", &app[..2]).unwrap().receivers.is_empty());
    assert_eq!(chat(&read("", &app).unwrap().receivers[0]), None);
}

#[test]
fn a_chat_that_payloads_may_name_is_a_receiver_of_its_own_unless_one_is_in_it_already() {
    let text = "
app: { id: cli_a, secret: s, base_url: 'https://open.larksuite.com', resolved: new, chats_allowed: [oc_1, oc_2] }
receivers: { ops: { chat_id: oc_1 } }
";
    let config = read(text, &[]).unwrap();
    let names: Vec<_> =
        config.receivers.iter().map(|receiver| (receiver.name.as_str(), chat(receiver))).collect();
    assert_eq!(names, [("ops", Some("oc_1")), ("oc_2", Some("oc_2"))]);
    assert_eq!(config.app.unwrap().resolved, ResolvedNews::New);
}

#[test]
fn what_leaves_open_how_a_receiver_is_reached_is_refused_with_what_to_do() {
    for (text, part) in [
        (
            "receivers: { a: { chat_id: oc_1 } }",
            "receivers.a: chat_id needs the app that sends there: set app.id",
        ),
        (&*format!("{APP}receivers: {{ a: {{ chat_id: oc_1, webhook_url: 'https://h/x' }} }}"), "has both"),
        (&*format!("{APP}receivers: {{ a: {{}} }}"), "receivers.a: needs a webhook_url"),
        (
            &*format!("{APP}receivers: {{ a: {{ chat_id: oc_1, secret: x }} }}"),
            "beside chat_id it does nothing",
        ),
        (
            &*format!("{APP}receivers: {{ a: {{ chat_id: ou_1 }} }}"),
            "receivers.a.chat_id: must be the id of a chat",
        ),
        ("app: { id: cli_a }", "app: an id needs its secret"),
        ("app: { secret: s }", "app: a secret needs its id"),
        ("app: { id: 'cli a', secret: s }", "app.id: must be an app's id"),
        ("app: { id: cli_a, secret: s, base_url: open.feishu.cn }", "app.base_url: must be an address"),
        ("app: { id: cli_a, secret: s, resolved: never }", "app.resolved: must be update, reply or new"),
    ] {
        let message = read(text, &[]).unwrap_err();
        assert!(message.contains(part), "{part:?} is missing in:\n{message}");
    }
}

#[test]
fn the_secret_of_an_app_comes_from_a_file_too_and_is_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, "SECRET\n").unwrap();
    let config = read(&format!("app: {{ id: cli_a, secret_file: {} }}", path.display()), &[]).unwrap();
    assert_eq!(config.app.as_ref().unwrap().secret.expose(), "SECRET");
    assert!(!format!("{config:?}").contains("SECRET"));
}
