//! Where the user table is, and what its columns are called: the people who have one made it themselves.

use crate::kinds::{Must, text};
use crate::reader::{Key, Reader, Section, key, key_or};
use crate::{ClientTls, Secret};

/// Longer names than this `MySQL` refuses.
const IDENTIFIER_BYTES_MAX: usize = 64;
const PORT: u16 = 3306;
const HOST: Key = key_or("host", "MYSQL_HOST");
const DATABASE: Key = key_or("database", "MYSQL_DB");
const USER: Key = key_or("user", "MYSQL_USER");

/// The table with people's ids.
#[derive(Clone, Debug)]
pub struct UserTableConfig {
    /// The server it is on; `None`: it is in the workers' own database.
    pub server: Option<UserServer>,
    /// Its name, perhaps after that of another database and a dot.
    pub name: String,
    /// What its columns are called.
    pub columns: UserColumns,
    /// What ids in it begin with that is not part of Feishu's.
    pub id_prefix: String,
}

/// A `MySQL` server and how to log in.
#[derive(Clone, Debug)]
pub struct UserServer {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The database.
    pub database: String,
    /// The user.
    pub user: String,
    /// The user's password.
    pub password: Option<Secret>,
    /// How the server is known, and what it is shown.
    pub tls: ClientTls,
}

/// What the columns are called.
#[derive(Clone, Debug)]
pub struct UserColumns {
    /// What alerts call people.
    pub username: String,
    /// What people call them.
    pub nickname: String,
    /// Their mobile.
    pub mobile: String,
    /// Their id in Feishu.
    pub id: String,
}

impl Default for UserTableConfig {
    fn default() -> Self {
        let columns = UserColumns {
            username: "username".to_owned(),
            nickname: "nickname".to_owned(),
            mobile: "mobile".to_owned(),
            id: "source_user_id".to_owned(),
        };
        Self { server: None, name: "users".to_owned(), columns, id_prefix: "feishu_".to_owned() }
    }
}

pub(super) fn table(reader: &Reader, section: Section<'_>) -> UserTableConfig {
    let default = UserTableConfig::default();
    let server = server(reader, &section);
    let columns = section.section("columns");
    let column = |name, default| columns.value(key(name), identifier).unwrap_or(default);
    let names = UserColumns {
        username: column("username", default.columns.username),
        nickname: column("nickname", default.columns.nickname),
        mobile: column("mobile", default.columns.mobile),
        id: column("source_user_id", default.columns.id),
    };
    columns.finish();
    let table = UserTableConfig {
        server,
        name: section.value(key("name"), table_name).unwrap_or(default.name),
        columns: names,
        id_prefix: section.value(key("id_prefix"), text).unwrap_or(default.id_prefix),
    };
    section.finish();
    table
}

fn server(reader: &Reader, section: &Section<'_>) -> Option<UserServer> {
    let host = section.value(HOST, host);
    let database = section.value(DATABASE, text);
    let user = section.value(USER, text);
    let password = section.secret(key_or("password", "MYSQL_PSWD"), text);
    let tls = crate::tls::database(reader, section.section("tls"));
    // Somebody means to have TLS, and would not.
    if tls.is_set() && !section.is_set(HOST) {
        reader.report(section.place_at("tls"), "is for a server that owners.table.host (MYSQL_HOST) names");
    }
    let (host, port) = host?;
    if let (Some(database), Some(user)) = (database, user) {
        return Some(UserServer { host, port, database, user, password, tls });
    }
    let needed = [(DATABASE, "database (MYSQL_DB)"), (USER, "user (MYSQL_USER)")];
    if let Some((_, missing)) = needed.into_iter().find(|(key, _)| !section.is_set(*key)) {
        reader.report(section.place(), format!("the host of the user table needs its {missing}"));
    }
    None
}

fn host(text: &str) -> Result<(String, u16), Must> {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') => (name, port.parse().ok()),
        _ => (text, Some(PORT)),
    };
    let is_name = !name.is_empty() && !name.contains(|c: char| c == '/' || c.is_whitespace());
    port.filter(|_| is_name)
        .map(|port| (name.to_owned(), port))
        .ok_or_else(|| "a host, perhaps with a port, such as mysql.example.com:3306".to_owned())
}

/// A name that can be quoted in either dialect, and that nobody has to quote elsewhere.
fn identifier(text: &str) -> Result<String, Must> {
    let usable = (1..=IDENTIFIER_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$'));
    usable.then(|| text.to_owned()).ok_or_else(|| "the name of a column: letters, digits, _ and $".to_owned())
}

fn table_name(text: &str) -> Result<String, Must> {
    let must = || "the name of a table, perhaps after that of its database and a dot".to_owned();
    let (database, table) = text.split_once('.').unwrap_or(("database", text));
    let usable = identifier(database).is_ok() && identifier(table).is_ok();
    usable.then(|| text.to_owned()).ok_or_else(must)
}
