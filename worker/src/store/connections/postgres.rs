//! Connections to `PostgreSQL`.

use std::str::FromStr;
use std::time::Duration;

use config::{ClientTls, IdentityFiles};
use sqlx::postgres::{
    PgArguments, PgConnectOptions, PgConnection, PgQueryResult, PgRow, PgSslMode, Postgres,
};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Executor};

use super::{ServerEngine, SetBy, has_parameter, tls_in_our_words};
use crate::store::refusal::POSTGRES_STARTING;

/// By which an administrator knows our connections (`pg_stat_activity`), unless the URL says another name.
const APPLICATION: &str = "larkfire";

impl ServerEngine for Postgres {
    const URL: &'static str = "expected postgres://user:password@host:5432/database";

    fn options(url: &str, tls: &ClientTls) -> Result<PgConnectOptions, sqlx::Error> {
        let mut options = with_tls(PgConnectOptions::from_str(url)?, url, tls);
        if options.get_application_name().is_none() {
            options = options.application_name(APPLICATION);
        }
        Ok(options)
    }

    /// Nothing of ours lasts longer than we wait for it: not a statement, nor what it waits for, nor a transaction of a process
    /// that is gone. Notices are about nothing that an operator has to know.
    async fn set_up(connection: &mut PgConnection, timeout: Duration) -> Result<(), sqlx::Error> {
        let ms = timeout.as_millis();
        let session = format!(
            "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED; \
             SET statement_timeout = {ms}; SET lock_timeout = {ms}; \
             SET idle_in_transaction_session_timeout = {ms}; SET client_min_messages = warning"
        );
        connection.execute(AssertSqlSafe(session)).await.map(drop)
    }

    fn is_starting(error: &sqlx::Error) -> bool {
        error
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code)
            .is_some_and(|code| code == POSTGRES_STARTING)
    }

    fn in_our_words(error: sqlx::Error, set_by: SetBy) -> sqlx::Error {
        if let Some(said) = tls_in_our_words(&error, set_by, "sslmode") {
            return said;
        }
        let is_without =
            matches!(&error, sqlx::Error::Tls(cause) if cause.to_string().contains("not support"));
        if !is_without {
            return error;
        }
        let ours = "the server has no TLS, and database.tls or sslmode in database.url asks for it: turn it on there";
        sqlx::Error::Configuration(ours.into())
    }

    async fn execute(
        connection: &mut PgConnection,
        query: Query<'_, Self, PgArguments>,
    ) -> Result<PgQueryResult, sqlx::Error> {
        query.execute(connection).await
    }

    async fn rows(
        connection: &mut PgConnection,
        query: Query<'_, Self, PgArguments>,
    ) -> Result<Vec<PgRow>, sqlx::Error> {
        query.fetch_all(connection).await
    }
}

/// Adds what the settings say of TLS. Whoever names a CA wants to know whom they talk to: then certificate and name are
/// checked, where the URL does not say otherwise. Sqlx itself checks neither, unless `sslmode` says so.
fn with_tls(mut options: PgConnectOptions, url: &str, tls: &ClientTls) -> PgConnectOptions {
    let names_ca = tls.ca_file.is_some() || has_parameter(url, &["sslrootcert", "ssl-root-cert", "ssl-ca"]);
    if !has_parameter(url, &["sslmode", "ssl-mode"]) {
        if names_ca {
            options = options.ssl_mode(PgSslMode::VerifyFull);
        } else if tls.identity.is_some() || has_parameter(url, &["sslcert", "ssl-cert"]) {
            options = options.ssl_mode(PgSslMode::Require);
        }
    }
    if let Some(file) = &tls.ca_file {
        options = options.ssl_root_cert(file);
    }
    match &tls.identity {
        Some(IdentityFiles { cert_file, key_file }) => {
            options.ssl_client_cert(cert_file).ssl_client_key(key_file)
        }
        None => options,
    }
}
