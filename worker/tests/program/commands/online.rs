//! `check --online`: who answers, in words one can act on, and nobody's name or number.

use std::net::SocketAddr;

use feishu_sim::{AppSettings, ChatSettings, FeishuSim, SimSettings};
use runtime::lifecycle::Lifecycle;
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};
use testkit::alertmanager::Alertmanager;
use testkit::mariadb::{TestDatabase, mysql_url};
use testkit::ports::free_address;
use testkit::rabbitmq::amqp_url;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::harness::{Harness, WITHIN};

const PEOPLE: [&str; 2] = [
    "CREATE TABLE staff (login VARCHAR(64), nick VARCHAR(64), phone BIGINT, lark VARCHAR(64))",
    "INSERT INTO staff VALUES ('zhangsan', '张三', 13800138000, 'feishu_ou_zhang'), ('lisi', NULL, NULL, '7ab3c'),
     ('old', '', NULL, NULL)",
];
/// What would say who is in the table.
const PERSONAL: [&str; 5] = ["zhangsan", "张三", "13800138000", "ou_zhang", "7ab3c"];

async fn database(statements: &[&str]) -> TestDatabase {
    let database = TestDatabase::create().await;
    let mut connection = MySqlConnection::connect(&database.url()).await.unwrap();
    for statement in statements {
        connection.execute(AssertSqlSafe((*statement).to_owned())).await.unwrap();
    }
    connection.close().await.unwrap();
    database
}

/// A worker that has its users on a server of their own, below these further settings.
fn with_users(host: SocketAddr, database: &str, columns: &str, further: &str) -> Harness {
    let text = format!(
        "preview: true
queue: {{ url: '{}' }}
owners: {{ table: {{ host: '{host}', database: {database}, user: root, name: staff, columns: {columns} }} }}
{further}",
        amqp_url()
    );
    Harness::with(&text, &PERSONAL)
}

const COLUMNS: &str = "{ username: login, nickname: nick, mobile: phone, source_user_id: lark }";

fn server() -> SocketAddr {
    let url = mysql_url();
    let address = url.rsplit(['@', '/']).next().unwrap();
    address.parse().unwrap()
}

fn has(printed: &str, parts: &[&str]) {
    for part in parts {
        assert!(printed.contains(part), "{part:?} is missing in:\n{printed}");
    }
}

#[tokio::test]
async fn the_user_table_is_counted_and_nobody_in_it_is_named() {
    let people = database(&PEOPLE).await;
    let harness = with_users(server(), people.name(), COLUMNS, "");
    let (code, printed) = harness.command(&["check", "--online"]).await;
    assert_eq!(code, Some(0), "{printed}");
    has(
        &printed,
        &[
            "ok: RabbitMQ: lets us in, version ",
            "ok: database: ./data/larkfire.db is made at the first start",
            "ok: user table: answers, rows: 3; with a user name: 3, a nickname: 1, a mobile: 1, an id: 2, of these open \
             ids: 1",
        ],
    );
    assert_eq!(harness.left_behind(), [""; 0], "a check makes nothing");
}

#[tokio::test]
async fn what_is_wrong_with_the_user_table_is_said_with_the_setting_to_look_at() {
    let people = database(&PEOPLE).await;
    let name = people.name();
    let away = free_address();
    let wrong_column = COLUMNS.replace("phone", "telephone");
    for (host, database, columns, says) in [
        (server(), name, &*wrong_column, ["Unknown column 'telephone'", "are owners.table.columns right?"]),
        (
            server(),
            "no_such_database",
            COLUMNS,
            ["Unknown database", "is owners.table.database (MYSQL_DB) right?"],
        ),
        (away, name, COLUMNS, ["Connection refused", "is owners.table.host (MYSQL_HOST) right?"]),
    ] {
        let (code, printed) = with_users(host, database, columns, "").command(&["check", "--online"]).await;
        assert_eq!(code, Some(1), "{printed}");
        has(&printed, &says);
        has(&printed, &["FAILED: user table: ", "but not everything it needs is there"]);
    }
}

#[tokio::test]
async fn a_user_table_in_which_nobody_can_be_found_is_doubtful_and_one_that_nobody_has_is_not() {
    let empty = database(&PEOPLE[..1]).await;
    let (code, printed) =
        with_users(server(), empty.name(), COLUMNS, "").command(&["check", "--online"]).await;
    assert_eq!(code, Some(0), "{printed}");
    has(
        &printed,
        &["warning: user table: answers, and is empty: people are shown by name and not mentioned"],
    );

    let nobody = ["INSERT INTO staff (login) VALUES ('zhangsan')"];
    let unreachable = database(&[&PEOPLE[..1], &nobody].concat()).await;
    let harness = with_users(server(), unreachable.name(), COLUMNS, "");
    let (code, printed) = harness.command(&["check", "--online"]).await;
    assert_eq!(code, Some(0), "{printed}");
    has(&printed, &["warning: user table: answers, rows: 1;", "are owners.table.columns the right ones?"]);

    let shared = TestDatabase::create().await;
    let text =
        format!("preview: true\nqueue: {{ url: '{}' }}\ndatabase: {{ url: '{}' }}", amqp_url(), shared.url());
    let (code, printed) = Harness::with(&text, &[]).command(&["check", "--online"]).await;
    assert_eq!(code, Some(0), "{printed}");
    has(
        &printed,
        &[
            "ok: database: answers (",
            ") and takes what a worker writes; tables: 0 of 29",
            "ok: user table: there is none called users in the workers' database",
        ],
    );
}

#[tokio::test]
async fn an_alertmanager_says_its_version_and_one_that_does_not_is_a_failure() {
    let people = database(&PEOPLE).await;
    let alertmanager = Alertmanager::alone("http://127.0.0.1:9/", "1h").await;
    let here = alertmanager.url("");
    let away = free_address();
    let harness = |further: &str| with_users(server(), people.name(), COLUMNS, further);

    let one = harness(&format!("alertmanagers: {{ eu: {{ url: '{here}', bearer_token: t0ken }} }}"));
    let (code, printed) = one.command(&["check", "--online"]).await;
    assert_eq!(code, Some(0), "{printed}");
    has(&printed, &[&format!("ok: Alertmanager eu at {here}: answers, version 0.")]);

    let others = format!(
        "alertmanagers: {{ eu: {{ url: '{here}/elsewhere' }}, us: {{ url: 'http://{away}' }} }}\nalertmanager_url: \
         'http://{away}/prefix'"
    );
    let (code, printed) = harness(&others).command(&["check", "--online"]).await;
    assert_eq!(code, Some(1), "{printed}");
    has(
        &printed,
        &[
            &format!("FAILED: Alertmanager eu at {here}: it refused (HTTP 404)"),
            "with the path of --web.route-prefix",
            &format!("FAILED: Alertmanager us at http://{away}: it does not answer; is it there, and is"),
            "is alertmanagers.default.url (ALERTMANAGER_URL) right?",
        ],
    );
}

#[tokio::test]
async fn receivers_of_an_alertmanager_that_are_called_like_ours_go_past_the_routes_and_that_is_said() {
    let alertmanager = Alertmanager::alone("http://127.0.0.1:9/", "1h").await;
    let here = alertmanager.url("");
    // Its one receiver is called larkfire.
    for (name, routes, is_said) in [
        ("larkfire", "routes: [{ match: a=b, receiver: larkfire }]", true),
        ("larkfire", "", false),
        ("ops", "routes: [{ match: a=b, receiver: ops }]", false),
    ] {
        let text = format!(
            "queue: {{ url: '{}' }}\nalertmanager_url: '{here}'\n{routes}\nreceivers: {{ default: {{ webhook_url: \
             'http://127.0.0.1:9/x' }}, {name}: {{ webhook_url: 'http://127.0.0.1:9/y' }} }}\n",
            amqp_url()
        );
        let (_, printed) = Harness::with(&text, &[]).command(&["check", "--online"]).await;
        has(&printed, &[&format!("ok: Alertmanager default at {here}: answers")]);
        let warning = format!(
            "warning: Alertmanager default at {here}: its receivers larkfire are called like receivers here, so what it \
             sends for them goes there and past the routes"
        );
        assert_eq!(printed.contains(&warning), is_said, "{name} {routes}: {printed}");
    }
}

/// What answers `200` to `/g/api/health` and `404` to anything else.
async fn grafana() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    Lifecycle::default().tasks.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = BufReader::new(stream);
            let mut request = String::new();
            stream.read_line(&mut request).await.unwrap();
            let status = if request.starts_with("GET /g/api/health ") { "200 OK" } else { "404 Not Found" };
            let answer = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{{}}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn a_grafana_answers_and_one_that_cannot_be_reached_from_here_is_no_failure() {
    let people = database(&PEOPLE).await;
    let here = grafana().await;
    let away = format!("http://{}", free_address());
    for (origin, path, says) in [
        (&here, "/g/", "ok: Grafana at ORIGIN: answers"),
        (&here, "/elsewhere", "warning: Grafana at ORIGIN: /api/health says HTTP 404; is links.grafana_url"),
        (&away, "", "cards are sent all the same, and their links work where people's browsers reach"),
    ] {
        let links = format!("links: {{ grafana_url: '{origin}{path}' }}");
        let harness = with_users(server(), people.name(), COLUMNS, &links);
        let (code, printed) = harness.command(&["check", "--online"]).await;
        assert_eq!(code, Some(0), "{printed}");
        has(&printed, &[&says.replace("ORIGIN", origin)]);
    }
}

#[tokio::test]
async fn the_address_of_the_console_is_asked_and_passwords_over_plain_http_are_doubtful() {
    let people = database(&PEOPLE).await;
    let here = grafana().await;
    let away = format!("http://{}", free_address());
    let hash =
        "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let users = format!(", users: [{{ name: zhang, password_hash: '{hash}', role: viewer }}]");
    for (url, more, listen, says) in [
        (&here, "", "127.0.0.1", "ok: console.url: answers (HTTP 404)"),
        (&away, "", "127.0.0.1", "; does it run, and does console.url lead to it?"),
        (&here, &*users, "127.0.0.1", "ok: console.url: answers (HTTP 404)"),
        (
            &here,
            &*users,
            "0.0.0.0",
            "warning: console.url: answers (HTTP 404); passwords and cookies go over it unencrypted: https belongs before it",
        ),
    ] {
        let port = free_address().port();
        let settings = format!("admin_listen: '{listen}:{port}'\nconsole: {{ url: '{url}'{more} }}");
        let harness = with_users(server(), people.name(), COLUMNS, &settings);
        let (code, printed) = harness.command(&["check", "--online"]).await;
        assert_eq!(code, Some(0), "{printed}");
        has(&printed, &[says]);
    }
}

#[tokio::test]
async fn the_app_is_asked_who_it_is_and_whether_its_bot_is_in_its_chats() {
    let settings = SimSettings::new([])
        .app(AppSettings::new("cli_here", "app-s3cret"))
        .chat(ChatSettings::new("oc_in").app("cli_here"))
        .chat(ChatSettings::new("oc_out"));
    let sim = FeishuSim::start(settings).await.unwrap();
    let console = free_address();
    let harness = |secret: &str, chats: &str| {
        let text = format!(
            "queue: {{ url: '{}' }}
lark: {{ encrypt_key: k3y, verification_token: t0ken }}
app: {{ id: cli_here, secret: {secret}, base_url: '{}' }}
console: {{ url: 'http://{console}/ops', path_prefix: /ops, feishu: {{ tenant_key: t, operators: [ou_1] }} }}
receivers: {chats}",
            amqp_url(),
            sim.base_url()
        );
        Harness::with(&text, &["app-s3cret", "wrong-s3cret", "t0ken", "k3y"])
    };
    let chats = "{ default: { chat_id: oc_in }, ops: { chat_id: oc_out }, gone: { chat_id: oc_gone } }";
    let (code, printed) = harness("app-s3cret", chats).command(&["check", "--online"]).await;
    assert_eq!(code, Some(1), "{printed}");
    has(
        &printed,
        &[
            "ok: app cli_here: its id and secret are right",
            "ok: chat of default: the bot is in it",
            "warning: console.url: ",
            &format!(
                "; the app's redirect URL has to be http://{console}/ops/login/feishu/callback, exactly"
            ),
            "FAILED: chat of ops: the bot is not in it: add the app's bot to the group",
            "FAILED: chat of gone: code 232006",
        ],
    );
    let (code, printed) =
        harness("app-s3cret", "{ default: { chat_id: oc_in } }").command(&["check", "--online"]).await;
    assert_eq!(code, Some(0), "{printed}");
    let (code, printed) = harness("wrong-s3cret", chats).command(&["check", "--online"]).await;
    assert_eq!(code, Some(1), "{printed}");
    has(
        &printed,
        &["FAILED: app cli_here: code 10", "the app's id or secret is wrong: set app.id and app.secret anew"],
    );
    assert!(!printed.contains("chat of"), "without a token nothing else is asked: {printed}");
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_named_and_its_password_is_not() {
    let proxy = free_address();
    let host = "open.feishu.invalid";
    let text = format!(
        "queue: {{ url: '{}' }}\nreceivers: {{ default: {{ webhook_url: 'http://{host}/open-apis/bot/v2/hook/a1b2' }} }}",
        amqp_url()
    );
    let harness = Harness::with(&text, &[]);
    let launch = harness.prepared(&["check", "--online"]);
    let launch = launch.variable("HTTP_PROXY", format!("http://me:pa55word@{proxy}"));
    let (status, printed) = launch.start().finish(WITHIN).await;
    assert_eq!(status.code(), Some(1), "{printed}");
    has(&printed, &["Connection refused", &format!("The proxy http://{proxy} is used (by HTTP_PROXY)")]);
    assert!(!printed.contains("pa55word"), "{printed}");
}
