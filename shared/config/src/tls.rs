//! Settings of TLS: the files of those we connect to, and of those who connect to us. What is in the files is read by whoever
//! uses them; here it is held that they are there, and that a certificate has its key.

use std::path::PathBuf;

use runtime::tls::{ClientTls, IdentityFiles, ListenerFiles, ListenerTls, certificates_in};

use super::kinds::{readable_file, text};
use super::problem::Problem;
use super::reader::{Reader, Section, key};
use super::{Config, PROTOCOLS_OF_ADMIN, PROTOCOLS_OF_INGEST};

/// How a broker is to be known, and what it is shown.
pub(super) fn broker(reader: &Reader, section: Section<'_>) -> ClientTls {
    let tls = ClientTls {
        ca_file: section.value(key("ca_file"), readable_file),
        identity: identity(reader, &section),
        server_name: section.value(key("server_name"), text),
    };
    section.finish();
    tls
}

/// The same of a database, whose driver goes by the host's name alone.
pub(super) fn database(reader: &Reader, section: Section<'_>) -> ClientTls {
    let tls = ClientTls {
        ca_file: section.value(key("ca_file"), readable_file),
        identity: identity(reader, &section),
        server_name: None,
    };
    section.finish();
    tls
}

/// What the listener for alerts shows, and whom it lets in.
pub(super) fn ingest(reader: &Reader, section: Section<'_>) -> Option<ListenerFiles> {
    let client_ca_file = section.value(key("client_ca_file"), readable_file);
    let identity = identity(reader, &section);
    let place = section.place();
    section.finish();
    if client_ca_file.is_some() && identity.is_none() {
        reader.report(place, "client_ca_file needs cert_file and key_file beside it");
    }
    followed(reader, identity.map(|identity| ListenerFiles { identity, client_ca_file }))
}

/// What the admin port shows.
pub(super) fn admin(reader: &Reader, section: Section<'_>) -> Option<ListenerFiles> {
    let identity = identity(reader, &section);
    section.finish();
    followed(reader, identity.map(|identity| ListenerFiles { identity, client_ca_file: None }))
}

/// A change of these files is a reason to read the configuration again.
fn followed(reader: &Reader, files: Option<ListenerFiles>) -> Option<ListenerFiles> {
    let all = files.iter().flat_map(|ListenerFiles { identity, client_ca_file }| {
        [&identity.cert_file, &identity.key_file].into_iter().chain(client_ca_file)
    });
    reader.files.borrow_mut().extend(all.cloned());
    files
}

fn identity(reader: &Reader, section: &Section<'_>) -> Option<IdentityFiles> {
    let file = |name| section.value::<PathBuf>(key(name), readable_file);
    match (file("cert_file"), file("key_file")) {
        (Some(cert_file), Some(key_file)) => Some(IdentityFiles { cert_file, key_file }),
        (None, None) => None,
        (cert_file, _) => {
            let (is_set, missing) = match cert_file {
                Some(_) => ("cert_file", "key_file"),
                None => ("key_file", "cert_file"),
            };
            // What is set and cannot be read is reported where it is read.
            if !section.is_set(key(missing)) {
                reader.report(section.place(), format!("{is_set} is set, and {missing} is not"));
            }
            None
        }
    }
}

/// What is wrong in the files, for binaries: they say so at the start, and refuse a reload with it.
pub fn problems(config: &Config) -> Vec<Problem> {
    let client = |name: &'static str, tls: Option<&ClientTls>| {
        let tls = tls.filter(|tls| tls.is_set())?;
        Some(Problem::new(name, tls.config().err()?.to_string()))
    };
    let authorities = |name: &'static str, file: Option<&PathBuf>| {
        Some(Problem::new(name, certificates_in(file?).err()?.to_string()))
    };
    let listener = |name: &'static str, files: Option<&ListenerFiles>, protocols| {
        Some(Problem::new(name, ListenerTls::load(files?, protocols).err()?.to_string()))
    };
    [
        client("queue.tls", config.queue.as_ref().map(|queue| &queue.tls)),
        client("database.tls", Some(&config.database.tls)),
        client("owners.table.tls", config.owners.table.server.as_ref().map(|server| &server.tls)),
        authorities("https.ca_file", config.https_ca_file.as_ref()),
        listener("tls", config.tls.as_ref(), PROTOCOLS_OF_INGEST),
        listener("admin_tls", config.admin_tls.as_ref(), PROTOCOLS_OF_ADMIN),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Environment, parse};

    fn wrong(text: &str) -> String {
        parse("test.yaml", text, Environment::default()).unwrap_err().to_string()
    }

    #[test]
    fn a_certificate_without_its_key_is_refused_and_so_is_a_key_alone() {
        for (section, text) in [
            ("tls", "tls: { cert_file: Cargo.toml }"),
            ("admin_tls", "admin_tls: { cert_file: Cargo.toml }"),
            ("queue.tls", "queue: { url: amqps://h, tls: { cert_file: Cargo.toml } }"),
            ("database.tls", "database: { tls: { cert_file: Cargo.toml } }"),
            (
                "owners.table.tls",
                "owners: { table: { host: h, database: d, user: u, tls: { cert_file: Cargo.toml } } }",
            ),
        ] {
            let said = wrong(text);
            assert!(said.contains(&format!("{section}: cert_file is set, and key_file is not")), "{said}");
            let said = wrong(&text.replace("cert_file", "key_file"));
            assert!(said.contains(&format!("{section}: key_file is set, and cert_file is not")), "{said}");
        }
        assert!(
            wrong("tls: { client_ca_file: Cargo.toml }").contains("needs cert_file and key_file beside it")
        );
    }

    #[test]
    fn a_file_that_is_not_there_is_named_once() {
        let said = wrong("tls: { cert_file: /no/such/file, key_file: Cargo.toml }");
        assert!(
            said.contains("tls.cert_file: must be a file that can be read; /no/such/file: No such file"),
            "{said}"
        );
        assert!(!said.contains("is not\n"), "{said}");
        assert_eq!(said.matches("cert_file").count(), 1, "{said}");
    }

    #[test]
    fn tls_that_an_address_does_not_ask_for_is_refused_rather_than_left_out() {
        let said = wrong("queue: { url: amqp://h, tls: { ca_file: Cargo.toml } }");
        assert!(said.contains("is for addresses that begin with amqps://"), "{said}");
        let said = wrong("database: { url: 'sqlite:x.db', tls: { ca_file: Cargo.toml } }");
        assert!(said.contains("is for servers, and database.url is a file"), "{said}");
        let said = wrong("database: { url: 'mysql://h/d?ssl-mode=DISABLED', tls: { ca_file: Cargo.toml } }");
        assert!(said.contains("ssl-mode=DISABLED"), "{said}");
        let said = wrong("owners: { table: { tls: { ca_file: Cargo.toml } } }");
        assert!(
            said.contains("owners.table.tls: is for a server that owners.table.host (MYSQL_HOST) names"),
            "{said}"
        );
        let said = wrong("database: { url: 'postgres://h/d?sslmode=disable', tls: { ca_file: Cargo.toml } }");
        assert!(said.contains("sslmode=disable"), "{said}");
    }

    #[test]
    fn a_listeners_files_are_followed() {
        let text = "tls: { cert_file: Cargo.toml, key_file: src/lib.rs, client_ca_file: src/tls.rs }";
        let config = parse("", text, Environment::default()).unwrap();
        let files: Vec<_> = config.files.iter().map(|file| file.display().to_string()).collect();
        assert_eq!(files, ["Cargo.toml", "src/lib.rs", "src/tls.rs"]);
    }
}
