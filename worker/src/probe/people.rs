//! The user table: whether it can be read, and how many people are in it. Nobody is named, and no number is shown.

use config::Config;
use config::check::probe::{Outcome, PROBE_TIMEOUT, Probe};
use prometheus::Registry;

use crate::directory::metrics::OwnerMetrics;
use crate::directory::table::{Survey, UserTable, refusal};
use crate::store::{OpenError, Store, file_of, postgres_state};

/// What people are called by when they cannot be looked up.
const BY_NAME: &str = "people are shown by name and not mentioned";

/// What `MySQL` says no with, and which setting is the first to look at: on a server of the table's own, and on the
/// workers' own.
const REFUSALS: [(u16, &str, &str); 7] = [
    (1044, "may the user read owners.table.database (MYSQL_DB)?", "may the user of database.url read it?"),
    (1045, "are owners.table.user (MYSQL_USER) and its password (MYSQL_PSWD) right?", IS_DATABASE_RIGHT),
    (1049, "is owners.table.database (MYSQL_DB) right?", IS_DATABASE_RIGHT),
    (1054, "are owners.table.columns right?", "are owners.table.columns right?"),
    (
        1142,
        "the user needs the right to SELECT from it",
        "the user of database.url needs the right to SELECT from it",
    ),
    (
        1143,
        "the user needs the right to SELECT its columns",
        "the user of database.url needs the right to SELECT its columns",
    ),
    (1146, "is owners.table.name right?", "is owners.table.name right?"),
];
const IS_DATABASE_RIGHT: &str = "is database.url (DATABASE_URL) right?";
/// The same of `PostgreSQL`, whose table is in the workers' own database: states, or the class of those about a log-in.
const POSTGRES_REFUSALS: [(&str, &str); 5] = [
    ("28", IS_DATABASE_RIGHT),
    ("3D000", IS_DATABASE_RIGHT),
    ("42501", "the user of database.url needs the right to SELECT from it"),
    ("42703", "are owners.table.columns right?"),
    ("42P01", "is owners.table.name right?"),
];

/// Counts it through. Makes nothing: neither a file nor a table.
pub(super) async fn user_table(config: &Config) -> Probe {
    Probe { what: "user table".to_owned(), outcome: look(config).await }
}

async fn look(config: &Config) -> Outcome {
    let has_server = config.owners.table.server.is_some();
    let file = file_of(&config.database, &config.data_dir).filter(|_| !has_server);
    let is_ours = file.is_some();
    if file.is_some_and(|file| !file.exists()) {
        return Outcome::Fine(format!("is made with the database, empty; {}", filled_how(true)));
    }
    let table = match open(config) {
        Ok(table) => table,
        Err(error) => return Outcome::Failed(error.to_string()),
    };
    match tokio::time::timeout(PROBE_TIMEOUT, table.survey()).await {
        Ok(Ok(Some(survey))) => of_survey(survey, is_ours),
        Ok(Ok(None)) if is_ours => Outcome::Fine(format!("is made at the next start; {}", filled_how(true))),
        Ok(Ok(None)) => Outcome::Fine(format!(
            "there is none called {} in the workers' database: {BY_NAME}; {}",
            config.owners.table.name,
            filled_how(false)
        )),
        // That says which setting to look at.
        Ok(Err(error @ sqlx::Error::Configuration(_))) => Outcome::Failed(words(&error)),
        Ok(Err(error)) => Outcome::Failed(format!("{}; {}", words(&error), advice(&error, has_server))),
        Err(_) => {
            Outcome::Failed(format!("no answer within {PROBE_TIMEOUT:?}: {BY_NAME} while it is so slow"))
        }
    }
}

fn open(config: &Config) -> Result<UserTable, OpenError> {
    // Nobody reads what is counted here.
    let registry = Registry::new();
    let metrics = OwnerMetrics::register(&registry)?;
    let table = &config.owners.table;
    if let Some(server) = &table.server {
        return Ok(UserTable::on_server(server, table, &metrics));
    }
    let store = Store::open(&config.database, &config.data_dir, &registry)?;
    UserTable::open(table, &config.database, &store, &metrics)
}

fn of_survey(survey: Survey, is_ours: bool) -> Outcome {
    let Survey { rows, named, with_nickname, with_mobile, with_id, with_open_id } = survey;
    if rows == 0 {
        let said = format!("answers, and is empty: {BY_NAME}; {}", filled_how(is_ours));
        return if is_ours { Outcome::Fine(said) } else { Outcome::Doubtful(said) };
    }
    let said = format!(
        "answers, rows: {rows}; with a user name: {named}, a nickname: {with_nickname}, a mobile: {with_mobile}, an id: \
         {with_id}, of these open ids: {with_open_id}"
    );
    // Mobiles lead to ids where there is an app; without either nobody can be mentioned.
    if with_id == 0 && with_mobile == 0 {
        return Outcome::Doubtful(format!("{said}: {BY_NAME}; are owners.table.columns the right ones?"));
    }
    if named == 0 && with_mobile == 0 {
        return Outcome::Doubtful(format!(
            "{said}: nobody is found in it; is owners.table.columns.username right?"
        ));
    }
    Outcome::Fine(said)
}

const fn filled_how(is_ours: bool) -> &'static str {
    if is_ours {
        "`users import FILE` fills it"
    } else {
        "MYSQL_HOST (owners.table.host) and owners.table.name say where another one is"
    }
}

fn words(error: &sqlx::Error) -> String {
    // A pool tries until its time is over, and does not say what came of it.
    if matches!(error, sqlx::Error::PoolTimedOut) {
        "no connection in time".to_owned()
    } else {
        error.to_string()
    }
}

fn advice(error: &sqlx::Error, has_server: bool) -> &'static str {
    if let Some(state) = postgres_state(error) {
        let known = POSTGRES_REFUSALS.iter().find(|(known, _)| state.starts_with(known));
        return known.map_or(IS_DATABASE_RIGHT, |(_, advice)| advice);
    }
    let refused = refusal(error).and_then(|number| REFUSALS.iter().find(|(known, ..)| *known == number));
    match (refused, has_server) {
        (Some((_, advice, _)), true) | (Some((.., advice)), false) => advice,
        (None, true) => "is it there, and is owners.table.host (MYSQL_HOST) right?",
        (None, false) => "is it there, and is database.url (DATABASE_URL) right?",
    }
}
