//! The registry of settings: what each is for, in English and in Chinese. The tables of `docs/configuration.md` are made
//! from it, and tests hold it against the code that reads the settings: keys, variables, defaults, who reads what.

mod cards;
mod console;
mod delivery;
mod escalation;
mod intake;
mod people;
mod process;
#[cfg(test)]
mod tests;
mod watch;

use runtime::documents::{Bilingual, Roles, text};

/// Settings that belong together, in the order of the documents.
pub const GROUPS: [&SettingGroup; 22] = [
    &process::PROCESS,
    &intake::GATE,
    &intake::SOURCES,
    &intake::LIMITS,
    &intake::CALLBACKS,
    &intake::QUEUE,
    &intake::SPOOL,
    &delivery::RECEIVERS,
    &delivery::APP,
    &delivery::ROUTES,
    &watch::HEARTBEATS,
    &watch::TROUBLE,
    &delivery::DELIVERY,
    &delivery::DATABASE,
    &delivery::DEDUP,
    &delivery::HISTORY,
    &cards::TEMPLATES,
    &cards::LINKS,
    &people::OWNERS,
    &people::INTERACTIONS,
    &escalation::ESCALATION,
    &console::CONSOLE,
];

/// Settings that belong together.
#[derive(Clone, Copy, Debug)]
pub struct SettingGroup {
    /// The heading above them.
    pub title: Bilingual,
    /// What holds for all of them; may be empty.
    pub about: Bilingual,
    /// The settings.
    pub settings: &'static [Setting],
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its path in the file. A part in capitals is a name of the operator's own, `[]` stands for each item of a list.
    pub key: &'static str,
    /// The variable that sets it, too.
    pub variable: Option<&'static str>,
    /// Whether it can be read from a file: `KEY_file` and `VARIABLE_FILE` name it.
    pub is_secret: bool,
    /// What holds where it is not set.
    pub default: DefaultValue,
    /// Which roles go by it; `larkfire` goes by all.
    pub read_by: Roles,
    /// Whether a change is used without a restart.
    pub is_reloaded: bool,
    /// What it is for.
    pub meaning: Bilingual,
}

/// What holds where a setting is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultValue {
    /// These values, as one would write them: several are a list.
    Values(&'static [&'static str]),
    /// What no value says, in words.
    Words(Bilingual),
}

/// Every setting.
pub fn settings() -> impl Iterator<Item = &'static Setting> {
    GROUPS.into_iter().flat_map(|group| group.settings)
}

const NONE: DefaultValue = DefaultValue::Words(text("none", "无"));

/// A setting that the file alone has, with no default.
const fn of(key: &'static str, read_by: Roles) -> Setting {
    Setting {
        key,
        variable: None,
        is_secret: false,
        default: NONE,
        read_by,
        is_reloaded: false,
        meaning: Bilingual::EMPTY,
    }
}

impl Setting {
    const fn variable(self, name: &'static str) -> Self {
        Self { variable: Some(name), ..self }
    }

    const fn secret(self) -> Self {
        Self { is_secret: true, ..self }
    }

    const fn values(self, values: &'static [&'static str]) -> Self {
        Self { default: DefaultValue::Values(values), ..self }
    }

    const fn unset(self, en: &'static str, zh: &'static str) -> Self {
        Self { default: DefaultValue::Words(text(en, zh)), ..self }
    }

    const fn reloaded(self) -> Self {
        Self { is_reloaded: true, ..self }
    }

    const fn means(self, en: &'static str, zh: &'static str) -> Self {
        Self { meaning: text(en, zh), ..self }
    }
}
