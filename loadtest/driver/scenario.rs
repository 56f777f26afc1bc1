//! What is measured, how long, and what is hoped for: files of `scenarios/`, read and refused as a whole.

mod accept;
mod escalations;
mod growth;
mod heartbeats;
mod idle;
mod listing;
pub(crate) mod profile;
pub(crate) mod range;
mod scaling;
mod tables;
mod worker;

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

pub(crate) use accept::{Accept, Latency, Load, Memory, Raw, Window};
pub(crate) use escalations::EscalationLoad;
pub(crate) use growth::{Away, Entries, Growth, Remembered, Start};
pub(crate) use heartbeats::HeartbeatLoad;
pub(crate) use idle::Idle;
pub(crate) use listing::{Listing, NameKind, Population};
pub(crate) use profile::{Profile, Victim};
use range::OutOfRange;
pub(crate) use scaling::Scaling;
pub(crate) use tables::Tables;
pub(crate) use worker::{Fill, Worker};

/// What an alert is filled up to, in bytes of JSON, where nothing else is asked for.
pub(crate) const ALERT_BYTES: usize = 800;

/// What comes with the program, in the order `all` runs it.
const FILES: [(&str, &str); 24] = [
    ("accept", include_str!("../scenarios/accept.toml")),
    ("worker", include_str!("../scenarios/worker.toml")),
    ("steady", include_str!("../scenarios/steady.toml")),
    ("calm", include_str!("../scenarios/calm.toml")),
    ("storm", include_str!("../scenarios/storm.toml")),
    ("deluge", include_str!("../scenarios/deluge.toml")),
    ("ha-duplicates", include_str!("../scenarios/ha-duplicates.toml")),
    ("giant-group", include_str!("../scenarios/giant-group.toml")),
    ("many-receivers", include_str!("../scenarios/many-receivers.toml")),
    ("feishu-slow", include_str!("../scenarios/feishu-slow.toml")),
    ("feishu-away", include_str!("../scenarios/feishu-away.toml")),
    ("throttled", include_str!("../scenarios/throttled.toml")),
    ("throttled-429", include_str!("../scenarios/throttled-429.toml")),
    ("broker-cut", include_str!("../scenarios/broker-cut.toml")),
    ("database-cut", include_str!("../scenarios/database-cut.toml")),
    ("worker-killed", include_str!("../scenarios/worker-killed.toml")),
    ("ingest-killed", include_str!("../scenarios/ingest-killed.toml")),
    ("listing", include_str!("../scenarios/listing.toml")),
    ("idle", include_str!("../scenarios/idle.toml")),
    ("scaling", include_str!("../scenarios/scaling.toml")),
    ("growth", include_str!("../scenarios/growth.toml")),
    ("heartbeats", include_str!("../scenarios/heartbeats.toml")),
    ("escalations", include_str!("../scenarios/escalations.toml")),
    ("tables", include_str!("../scenarios/tables.toml")),
];

/// Why there is no scenario.
#[derive(Debug, Error)]
pub(crate) enum ScenarioError {
    /// Nothing is called that.
    #[error("there is no scenario {0}; there are all, {names}, and paths of .toml files", names = names().join(", "))]
    Unknown(String),
    /// It has no middle: it measures one thing after the other.
    #[error("--kill is for profiles, and {0} is none; see loadtest/README.md")]
    NoProfile(String),
    /// The file is not there, or not to be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not TOML, a key missing, or one too many; what is wrong is shown with its line.
    #[error("{file} is no scenario: {source}")]
    Malformed {
        /// The file.
        file: String,
        /// Key, line and column.
        source: Box<toml::de::Error>,
    },
    /// A number that would measure nothing, or never end.
    #[error("{file}: {source}")]
    OutOfRange {
        /// The file.
        file: String,
        /// The key and its range.
        source: OutOfRange,
    },
}

/// A scenario and what it is called.
#[derive(Debug)]
pub(crate) struct Scenario {
    /// Names its files of results.
    pub(crate) name: String,
    pub(crate) measurement: Measurement,
}

/// The kinds of scenarios.
#[derive(Debug)]
pub(crate) enum Measurement {
    Accept(Accept),
    Worker(Worker),
    Profile(Profile),
    Scaling(Scaling),
    Idle(Idle),
    Listing(Listing),
    Tables(Tables),
    Growth(Growth),
    Heartbeats(HeartbeatLoad),
    Escalations(EscalationLoad),
}

/// What tells the kinds apart.
#[derive(Deserialize)]
struct Kind {
    kind: KindName,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum KindName {
    Accept,
    Worker,
    Profile,
    Scaling,
    Idle,
    Listing,
    Tables,
    Growth,
    Heartbeats,
    Escalations,
}

/// The names of what comes with the program.
pub(crate) fn names() -> Vec<&'static str> {
    FILES.iter().map(|(name, _)| *name).collect()
}

impl Scenario {
    /// A scenario by its name, or by the path of its file.
    pub(crate) fn load(name: &str) -> Result<Self, ScenarioError> {
        if let Some((name, text)) = FILES.iter().find(|(known, _)| *known == name) {
            return Self::parse(name, &format!("scenarios/{name}.toml"), text);
        }
        let path = Path::new(name);
        match path.file_stem().and_then(|stem| stem.to_str()) {
            Some(stem) if path.extension().is_some_and(|extension| extension == "toml") => {
                let unreadable = |source| ScenarioError::Unreadable { path: path.to_owned(), source };
                Self::parse(stem, name, &std::fs::read_to_string(path).map_err(unreadable)?)
            }
            _ => Err(ScenarioError::Unknown(name.to_owned())),
        }
    }

    fn parse(name: &str, file: &str, text: &str) -> Result<Self, ScenarioError> {
        let measurement = match read::<Kind>(file, text)?.kind {
            KindName::Accept => Measurement::Accept(read(file, text)?),
            KindName::Worker => Measurement::Worker(read(file, text)?),
            KindName::Profile => Measurement::Profile(read(file, text)?),
            KindName::Scaling => Measurement::Scaling(read(file, text)?),
            KindName::Idle => Measurement::Idle(read(file, text)?),
            KindName::Listing => Measurement::Listing(read(file, text)?),
            KindName::Tables => Measurement::Tables(read(file, text)?),
            KindName::Growth => Measurement::Growth(read(file, text)?),
            KindName::Heartbeats => Measurement::Heartbeats(read(file, text)?),
            KindName::Escalations => Measurement::Escalations(read(file, text)?),
        };
        let scenario = Self { name: name.to_owned(), measurement };
        scenario.check(file)?;
        Ok(scenario)
    }

    /// Kills these in the middle of it. The results get a name of their own.
    pub(crate) fn kill(&mut self, victims: &[Victim]) -> Result<(), ScenarioError> {
        if victims.is_empty() {
            return Ok(());
        }
        let Measurement::Profile(profile) = &mut self.measurement else {
            return Err(ScenarioError::NoProfile(self.name.clone()));
        };
        profile.kill(victims);
        self.name.push_str("-killed");
        self.check("--kill")
    }

    /// Another number of rounds, where one is given.
    pub(crate) fn set_rounds(&mut self, rounds: Option<u32>) -> Result<(), ScenarioError> {
        if let Some(rounds) = rounds {
            match &mut self.measurement {
                Measurement::Accept(accept) => accept.rounds = rounds,
                Measurement::Worker(worker) => worker.rounds = rounds,
                Measurement::Profile(profile) => profile.rounds = rounds,
                Measurement::Scaling(scaling) => scaling.rounds = rounds,
                Measurement::Idle(idle) => idle.rounds = rounds,
                Measurement::Listing(listing) => listing.rounds = rounds,
                Measurement::Tables(tables) => tables.rounds = rounds,
                Measurement::Growth(growth) => growth.rounds = rounds,
                Measurement::Heartbeats(heartbeats) => heartbeats.rounds = rounds,
                Measurement::Escalations(escalations) => escalations.rounds = rounds,
            }
        }
        self.check("--rounds")
    }

    fn check(&self, file: &str) -> Result<(), ScenarioError> {
        let checked = match &self.measurement {
            Measurement::Accept(accept) => accept.check(),
            Measurement::Worker(worker) => worker.check(),
            Measurement::Profile(profile) => profile.check(),
            Measurement::Scaling(scaling) => scaling.check(),
            Measurement::Idle(idle) => idle.check(),
            Measurement::Listing(listing) => listing.check(),
            Measurement::Tables(tables) => tables.check(),
            Measurement::Growth(growth) => growth.check(),
            Measurement::Heartbeats(heartbeats) => heartbeats.check(),
            Measurement::Escalations(escalations) => escalations.check(),
        };
        checked.map_err(|source| ScenarioError::OutOfRange { file: file.to_owned(), source })
    }
}

fn read<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, ScenarioError> {
    toml::from_str(text)
        .map_err(|source| ScenarioError::Malformed { file: file.to_owned(), source: Box::new(source) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCEPT: &str = include_str!("../scenarios/accept.toml");

    fn refusal(text: &str) -> String {
        Scenario::parse("x", "dir/x.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn every_scenario_that_comes_with_the_program_can_be_run() {
        for name in names() {
            let scenario = Scenario::load(name).unwrap();
            assert_eq!(scenario.name, name);
        }
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), FILES.len(), "a file is not in the list");
    }

    #[test]
    fn a_scenario_that_is_wrong_is_refused_with_its_file_and_the_key() {
        let endless = refusal(&ACCEPT.replace("\nseconds = 4.0", "\nseconds = inf"));
        assert!(endless.starts_with("dir/x.toml: window.seconds is inf"), "{endless}");
        let misspelt = refusal(&ACCEPT.replace("rounds", "round"));
        assert!(
            misspelt.starts_with("dir/x.toml is no scenario") && misspelt.contains("`round`"),
            "{misspelt}"
        );
        let unknown = refusal("kind = \"profle\"");
        assert!(unknown.contains("profle") && unknown.contains("profile"), "{unknown}");
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let unknown = Scenario::load("stom").unwrap_err().to_string();
        assert!(unknown.contains("stom") && unknown.contains("accept"), "{unknown}");
    }
}
