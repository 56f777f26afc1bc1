//! Whether what has to be kept on disk can be, tried without leaving anything.

use std::path::{Path, PathBuf};

use runtime::data_dir::{DATABASE_FILE, QUEUE_FILE, database_flaw, try_keeping};

use super::Role;
use super::probe::{Outcome, Probe};
use crate::{Config, Secret};

/// What is kept in one directory.
struct KeptPlace<'c> {
    /// The setting that names it.
    setting: &'static str,
    folder: &'c Path,
    databases: Vec<PathBuf>,
}

/// One for each directory that the role keeps something in.
pub(super) fn probes(config: &Config, role: Role) -> Vec<Probe> {
    places(config, role).iter().map(KeptPlace::tried).collect()
}

fn places(config: &Config, role: Role) -> Vec<KeptPlace<'_>> {
    let folder = config.data_dir.as_path();
    let url = config.database.url.as_ref().map(Secret::expose);
    let has_queue = role == Role::Both && config.queue.is_none();
    let has_database = role.tells() && url.is_none();
    let of_data = [(has_queue, QUEUE_FILE), (has_database, DATABASE_FILE)];
    let of_data = of_data.into_iter().filter(|(is_there, _)| *is_there).map(|(_, name)| folder.join(name));
    let data = KeptPlace { setting: "data_dir (LARKFIRE_DATA_DIR)", folder, databases: of_data.collect() };
    let spool = config.spool.as_ref().filter(|_| role.takes_alerts() && config.queue.is_some());
    let spool =
        spool.map(|spool| KeptPlace { setting: "spool.dir", folder: &spool.dir, databases: Vec::new() });
    let file = url.filter(|_| role.tells()).and_then(|url| url.strip_prefix("sqlite:"));
    let file = file.map(|path| Path::new(path.trim_start_matches("//"))).map(|file| KeptPlace {
        setting: "database.url (DATABASE_URL)",
        folder: file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")),
        databases: vec![file.to_owned()],
    });
    let data = Some(data).filter(|data| !data.databases.is_empty());
    [data, spool, file].into_iter().flatten().collect()
}

impl KeptPlace<'_> {
    fn tried(&self) -> Probe {
        let flaw = try_keeping(self.folder).err();
        let flaw = flaw.or_else(|| self.databases.iter().find_map(|file| database_flaw(file)));
        let fine = || Outcome::Fine(format!("{} can be written to", self.folder.display()));
        Probe { what: self.setting.to_owned(), outcome: flaw.map_or_else(fine, Outcome::Failed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Environment, parse};

    fn tried(text: &str, role: Role) -> Vec<Probe> {
        probes(&parse("test.yaml", text, Environment::default()).unwrap(), role)
    }

    #[test]
    fn each_role_is_asked_for_the_directories_it_keeps_something_in() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().display();
        let broker = "queue: { url: amqp://broker }";
        let server = "database: { url: mysql://db/larkfire }";
        let names = |text: String, role| -> Vec<String> {
            tried(&text, role).into_iter().map(|probe| probe.what).collect()
        };
        let data = "data_dir (LARKFIRE_DATA_DIR)";
        let at = format!("data_dir: '{folder}'");
        assert_eq!(names(at.clone(), Role::Both), [data]);
        assert_eq!(names(format!("{at}\n{broker}"), Role::Worker), [data]);
        assert_eq!(names(format!("{at}\n{server}"), Role::Both), [data], "for the queue");
        assert_eq!(names(format!("{at}\n{broker}\n{server}"), Role::Both), [""; 0]);
        assert_eq!(names(format!("{at}\n{broker}"), Role::Ingest), [""; 0]);
        let spool = format!("{at}\n{broker}\nspool: {{ dir: '{folder}/spool' }}");
        assert_eq!(names(spool, Role::Ingest), ["spool.dir"]);
        let file = format!("{at}\n{broker}\ndatabase: {{ url: 'sqlite:{folder}/alerts.db' }}");
        assert_eq!(names(file, Role::Worker), ["database.url (DATABASE_URL)"]);
    }

    #[test]
    fn what_a_start_would_fail_on_is_said_with_what_to_do_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let at = format!("data_dir: '{}/data'", folder.path().display());
        let said = tried(&at, Role::Both);
        assert!(matches!(&said[..], [Probe { outcome: Outcome::Fine(_), .. }]), "{said:?}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        std::fs::create_dir(folder.path().join("data")).unwrap();
        std::fs::write(folder.path().join("data/queue.db"), "notes").unwrap();
        let said = tried(&at, Role::Both);
        let [Probe { outcome: Outcome::Failed(why), .. }] = &said[..] else { panic!("{said:?}") };
        assert!(why.contains("queue.db: it is not a database") && why.contains("move it away"), "{why}");
        std::fs::remove_dir_all(folder.path().join("data")).unwrap();
        std::fs::write(folder.path().join("data"), "").unwrap();
        let said = tried(&at, Role::Both);
        let [Probe { outcome: Outcome::Failed(why), .. }] = &said[..] else { panic!("{said:?}") };
        assert!(why.contains("is a file: move it away"), "{why}");
    }
}
