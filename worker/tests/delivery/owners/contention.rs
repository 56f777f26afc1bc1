//! The same people in either kind of user table: an operator's own on MariaDB, its table and columns called what
//! nobody would guess, and ours in SQLite, filled from a file.

use std::net::SocketAddr;

use config::{ClientTls, OwnersConfig, UserColumns, UserServer, UserTableConfig};
use model::alert::Mention;
use serde_json::json;
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};
use testkit::mariadb::TestDatabase;

use super::harness::{OwnersHarness, PATIENT, People, asking_for};

/// User name, nickname, mobile and id, as an operator has them.
pub(crate) type Somebody = (&'static str, Option<&'static str>, Option<&'static str>, Option<&'static str>);

/// Where the people are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Engine {
    MariaDb,
    Sqlite,
}

/// A worker that knows these people, and whom it tells.
pub(crate) struct ManyOwners {
    pub(crate) office: OwnersHarness,
    sent: u8,
    _database: Option<TestDatabase>,
}

impl ManyOwners {
    /// With these people in the table, all of whom with an open id are in the group.
    pub(crate) async fn of(engine: Engine, people: &[Somebody]) -> Self {
        match engine {
            Engine::MariaDb => Self::on_mariadb(people, People::server()).await,
            Engine::Sqlite => {
                let row = |(username, nickname, mobile, id): &Somebody| json!({"username": username, "nickname": nickname, "mobile": mobile, "source_user_id": id});
                let file = json!(people.iter().map(row).collect::<Vec<_>>()).to_string();
                let office = OwnersHarness::open_with_file(("people.json", &file), &members(people)).await;
                Self { office, sent: 0, _database: None }
            }
        }
    }

    /// On a server that is reached at this address.
    pub(crate) async fn on_mariadb(people: &[Somebody], address: SocketAddr) -> Self {
        let database = TestDatabase::create().await;
        let mut connection = MySqlConnection::connect(&database.url()).await.unwrap();
        let table = "CREATE TABLE `Staff$2` (`select` VARCHAR(200), `order` VARCHAR(64), Telefon VARCHAR(32), 1d VARCHAR(64)) \
                     CHARACTER SET utf8mb4";
        connection.execute(table).await.unwrap();
        for (username, nickname, mobile, id) in people {
            let insert = "INSERT INTO `Staff$2` VALUES (?, ?, ?, ?)";
            let row = sqlx::query(insert).bind(username).bind(nickname).bind(mobile).bind(id);
            row.execute(&mut connection).await.unwrap();
        }
        connection.close().await.unwrap();
        let names = ["Staff$2", "select", "order", "Telefon", "1d"];
        let office = OwnersHarness::open(theirs(&database, names, address), &members(people)).await;
        Self { office, sent: 0, _database: Some(database) }
    }

    /// With a table of this definition and content in the place of `PEOPLE`; its columns are `a` to `d`.
    pub(crate) async fn with_table(statements: &[&str], members: &[&str]) -> Self {
        let database = TestDatabase::create().await;
        let mut connection = MySqlConnection::connect(&database.url()).await.unwrap();
        for statement in statements {
            connection.execute(AssertSqlSafe((*statement).to_owned())).await.unwrap();
        }
        connection.close().await.unwrap();
        let config = theirs(&database, ["staff", "a", "b", "c", "d"], People::server());
        Self { office: OwnersHarness::open(config, members).await, sent: 0, _database: Some(database) }
    }

    /// Who is mentioned on a card for these names and numbers, sorted, and what the card says.
    pub(crate) async fn card_for(&mut self, usernames: &[&str], mobiles: &[&str]) -> (Vec<String>, String) {
        self.sent += 1;
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned().into()).collect();
        let mention = Mention { usernames: owned(usernames), mobiles: owned(mobiles), ..Mention::default() };
        let card = self.office.tell(&asking_for(mention, self.sent)).await;
        let mut mentioned = card.mentioned.clone();
        mentioned.sort_unstable();
        (mentioned, card.message().unwrap().to_string())
    }
}

fn members(people: &[Somebody]) -> Vec<&'static str> {
    people.iter().filter_map(|(.., id)| id.map(|id| id.trim_start_matches("feishu_"))).collect()
}

/// A table of theirs: its name, and those of its columns.
fn theirs(
    database: &TestDatabase,
    [name, username, nickname, mobile, id]: [&str; 5],
    address: SocketAddr,
) -> OwnersConfig {
    let server = UserServer {
        host: address.ip().to_string(),
        port: address.port(),
        database: database.name().to_owned(),
        user: "root".to_owned(),
        password: None,
        tls: ClientTls::default(),
    };
    let [username, nickname, mobile, id] = [username, nickname, mobile, id].map(str::to_owned);
    let columns = UserColumns { username, nickname, mobile, id };
    let table = UserTableConfig {
        server: Some(server),
        name: name.to_owned(),
        columns,
        ..UserTableConfig::default()
    };
    OwnersConfig { table, deadline: PATIENT, ..OwnersConfig::default() }
}
