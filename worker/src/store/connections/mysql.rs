//! Connections to `MySQL` and MariaDB.

use std::str::FromStr;
use std::time::Duration;

use config::{ClientTls, IdentityFiles};
use sqlx::mysql::{
    MySql, MySqlArguments, MySqlConnectOptions, MySqlConnection, MySqlQueryResult, MySqlRow, MySqlSslMode,
};
use sqlx::query::Query;
use sqlx::{Executor, Row};

use super::{Server, ServerEngine, SetBy, has_parameter, tls_in_our_words};

impl ServerEngine for MySql {
    const URL: &'static str = "expected mysql://user:password@host:3306/database";

    fn options(url: &str, tls: &ClientTls) -> Result<MySqlConnectOptions, sqlx::Error> {
        let url = match url.strip_prefix("mariadb:") {
            Some(rest) => format!("mysql:{rest}"),
            None => url.to_owned(),
        };
        Ok(with_tls(MySqlConnectOptions::from_str(&url)?, &url, tls))
    }

    async fn set_up(connection: &mut MySqlConnection, _timeout: Duration) -> Result<(), sqlx::Error> {
        // Without gaps being locked, batches with sorted keys do not wait for each other in a circle.
        let isolation = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
        connection.execute(isolation).await.map(drop)
    }

    fn is_starting(_error: &sqlx::Error) -> bool {
        // It takes no connections before it can do something with them.
        false
    }

    /// What sqlx says of its own features means: there is no TLS, and the server wants the password itself.
    fn in_our_words(error: sqlx::Error, set_by: SetBy) -> sqlx::Error {
        if let Some(said) = tls_in_our_words(&error, set_by, "ssl-mode") {
            return said;
        }
        let is_of_feature =
            matches!(&error, sqlx::Error::Configuration(cause) if cause.to_string().contains("RSA"));
        if !is_of_feature {
            return error;
        }
        let further = match set_by {
            SetBy::DatabaseUrl => ", and remove ssl-mode=DISABLED from database.url if it is there",
            SetBy::UserTable => "",
        };
        let ours = format!(
            "the server wants the password itself (caching_sha2_password or sha256_password), which is sent under TLS only: \
             turn on TLS at the server{further}"
        );
        sqlx::Error::Configuration(ours.into())
    }

    async fn execute(
        connection: &mut MySqlConnection,
        query: Query<'_, Self, MySqlArguments>,
    ) -> Result<MySqlQueryResult, sqlx::Error> {
        query.execute(connection).await
    }

    async fn rows(
        connection: &mut MySqlConnection,
        query: Query<'_, Self, MySqlArguments>,
    ) -> Result<Vec<MySqlRow>, sqlx::Error> {
        query.fetch_all(connection).await
    }
}

impl Server<MySql> {
    /// By its parts, which are those of a server of the user table. `timeout` is what one operation may take in all.
    pub(crate) fn of_user_table(
        options: MySqlConnectOptions,
        tls: &ClientTls,
        connections: u32,
        timeout: Duration,
    ) -> Self {
        Self::new(with_tls(options, "", tls), SetBy::UserTable, connections, timeout)
    }
}

/// Adds what the settings say of TLS. Whoever names a CA wants to know whom they talk to: then certificate and name are
/// checked, where the URL does not say otherwise. Sqlx itself checks neither, unless `ssl-mode` says so.
fn with_tls(mut options: MySqlConnectOptions, url: &str, tls: &ClientTls) -> MySqlConnectOptions {
    let names_ca = tls.ca_file.is_some() || has_parameter(url, &["ssl-ca", "sslca"]);
    if !has_parameter(url, &["ssl-mode", "sslmode"]) {
        if names_ca {
            options = options.ssl_mode(MySqlSslMode::VerifyIdentity);
        } else if tls.identity.is_some() || has_parameter(url, &["ssl-cert", "sslcert"]) {
            options = options.ssl_mode(MySqlSslMode::Required);
        }
    }
    if let Some(file) = &tls.ca_file {
        options = options.ssl_ca(file);
    }
    match &tls.identity {
        Some(IdentityFiles { cert_file, key_file }) => {
            options.ssl_client_cert(cert_file).ssl_client_key(key_file)
        }
        None => options,
    }
}

/// Whether the user of this connection logs in by its password's hash alone, which a server only takes while it remembers
/// it from a log-in under TLS.
pub(in crate::store) async fn is_login_without_tls(
    connection: &mut MySqlConnection,
) -> Result<bool, sqlx::Error> {
    let cipher: Option<String> =
        match connection.fetch_optional("SHOW SESSION STATUS LIKE 'Ssl_cipher'").await? {
            Some(row) => row.try_get(1)?,
            None => None,
        };
    if cipher.is_some_and(|cipher| !cipher.is_empty()) {
        return Ok(false);
    }
    // Whoever may not see how it logs in is not told.
    let Ok(Some(user)) = connection.fetch_optional("SHOW CREATE USER CURRENT_USER()").await else {
        return Ok(false);
    };
    Ok(is_by_hash(user.try_get(0)?))
}

/// Reads what `SHOW CREATE USER` says. A user without a password needs no hash.
fn is_by_hash(created: &str) -> bool {
    created.contains("'caching_sha2_password' AS ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_in_that_needs_tls_is_known_by_what_the_server_says_of_it() {
        let user =
            |how: &str| format!("CREATE USER `u`@`%` IDENTIFIED {how} REQUIRE NONE PASSWORD EXPIRE DEFAULT");
        // MySQL 9 does not show users their own hash.
        for hash in ["'$A$00A$sdq}ah{n&1DR'", "<secret>"] {
            assert!(is_by_hash(&user(&format!("WITH 'caching_sha2_password' AS {hash}"))));
        }
        for how in [
            "WITH 'caching_sha2_password'",
            "WITH 'mysql_native_password' AS '*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29'",
            "BY PASSWORD '*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29'",
        ] {
            assert!(!is_by_hash(&user(how)), "{how}");
        }
    }

    #[test]
    fn a_password_that_would_be_sent_without_tls_is_said_in_words_one_can_act_on() {
        let theirs = "RSA auth backend disabled; enable feature `mysql-rsa` (or `rsa` if using sqlx-mysql directly) or use TLS.";
        for set_by in [SetBy::DatabaseUrl, SetBy::UserTable] {
            let said = MySql::in_our_words(sqlx::Error::Configuration(theirs.into()), set_by).to_string();
            assert!(said.contains("turn on TLS at the server") && !said.contains("feature"), "{said}");
            assert_eq!(said.contains("database.url"), set_by == SetBy::DatabaseUrl, "{said}");
        }
    }
}
