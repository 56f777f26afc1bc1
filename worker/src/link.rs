//! Where to look further: logs in Grafana, and the pages an alert brings along. Pure: times are arguments.

pub(crate) mod annotated;
mod explore;
mod logql;
mod loki;
mod page;
mod silence;
#[cfg(test)]
mod tests;
mod window;

use config::{LinksConfig, Rewrite};
use jiff::Timestamp;
use model::alert::{Alert, Status};
use model::envelope::{Envelope, Source};
use thiserror::Error;

use crate::people::person::is_somebodys_number;
use page::URL_BYTES_MAX;

/// Links one alert gets besides those of its annotations; on a phone that is three rows of buttons.
pub const LINKS_MAX: usize = 6;
/// What an alert with more links than that does without: a picture of what the panel shows, and the panel that is on
/// the dashboard.
const DISPENSABLE: [LinkKind; 2] = [LinkKind::Image, LinkKind::Panel];
/// Where an alert says how it is handled.
pub(crate) const RUNBOOK: &str = "runbook_url";

/// A page to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What is there.
    pub kind: LinkKind,
    /// The annotation that says so by its name; `None` where the source has a place of its own for it.
    pub annotation: Option<String>,
    /// Its address, safe in a button and in markdown.
    pub url: String,
}

/// What is behind a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// All lines around the alert.
    Logs,
    /// Those of them that look like errors.
    Errors,
    /// The rule that raised it.
    Source,
    /// The dashboard it belongs to.
    Dashboard,
    /// The panel on it.
    Panel,
    /// What to do about it.
    Runbook,
    /// What the panel looked like.
    Image,
    /// A form that silences it.
    Silence,
    /// What an annotation's name says.
    Annotated,
}

/// A link of an alert, or why it has none although something was there to make one of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkOutcome {
    /// What is there.
    pub kind: LinkKind,
    /// As in [`Link::annotation`].
    pub annotation: Option<String>,
    /// Its address, as in [`Link::url`].
    pub url: Result<String, NoLink>,
}

impl LinkOutcome {
    /// Whether one of these leads to the same page.
    fn is_among(&self, known: &[Self]) -> bool {
        self.url.is_ok() && known.iter().any(|known| known.url == self.url)
    }
}

/// Why something is not linked to. Says nothing of the address itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoLink {
    /// It begins with no scheme, or cannot be read.
    #[error("it is no whole address")]
    NoAddress,
    /// A link leads to a page or nowhere.
    #[error("it is neither http nor https")]
    NoWebPage,
    /// That serves only to make one host look like another.
    #[error("there is a user name or a password in it")]
    UserName,
    /// A cut link would be a broken one.
    #[error("it is {bytes} bytes long, and at most {URL_BYTES_MAX} are linked")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// What a rule of the configuration made of it is no web page's address.
    #[error("a pattern of links.rewrite makes no web address of it")]
    Rewritten,
    /// It leads to the same page as one before it.
    #[error("another link leads there")]
    Repeated,
    /// There are others that say more.
    #[error("an alert has at most {LINKS_MAX} links, and others say more")]
    TooMany,
    /// The sender did not say where it can be reached, or not in a form that a page can be added to.
    #[error("it is not known where its Alertmanager is (externalURL)")]
    NoAlertmanager,
    /// A silence needs a label that is not empty.
    #[error("it has no labels a silence could be made of")]
    NoLabels,
    /// A silence of the others would match something else.
    #[error("not all of its labels are known: there were too many, or they were too long")]
    CutLabels,
    /// The page that makes silences would not read it.
    #[error("a label's name has a blank or one of {{ }} ! = ~ , \\ ' \" ` in it")]
    LabelName,
}

/// How an alert came, as far as its links depend on it.
#[derive(Clone, Copy, Debug)]
pub struct LinkContext<'c> {
    /// In which format: a message names interfaces, an alert of Prometheus names ports.
    pub source: Source,
    /// When; stands for the time of an alert without one.
    pub received_at: Timestamp,
    /// The time now; nothing began or ended later.
    pub now: Timestamp,
    /// Where the Alertmanager is in whose form it can be silenced, as that calls itself; `None` if no link to that is
    /// wanted.
    pub alertmanager: Option<&'c str>,
}

impl<'c> LinkContext<'c> {
    /// Of the alerts of an envelope.
    pub fn of(envelope: &'c Envelope<'_>, now: Timestamp) -> Self {
        let is_of_alertmanager = envelope.source == Source::Alertmanager;
        Self {
            source: envelope.source,
            received_at: envelope.received_at,
            now,
            alertmanager: is_of_alertmanager.then_some(&*envelope.external_url),
        }
    }

    /// The same without a link to a form that silences.
    #[must_use]
    pub const fn without_silence(self) -> Self {
        Self { alertmanager: None, ..self }
    }
}

/// A query for logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogQuery {
    /// Whether it is for all lines or for errors.
    pub kind: LinkKind,
    /// The query.
    pub logql: String,
    /// Where it leads; `None` if that is too long for a link.
    pub link: Option<Link>,
}

/// Why an alert has no links to logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoLogs {
    /// It is not known where Grafana is.
    #[error("links.grafana_url is not set")]
    NoGrafana,
    /// No data source is set for everything, and none for the namespace of the alert.
    #[error("there is no Loki data source for its namespace, and none for all")]
    NoDatasource,
    /// Loki takes no query that selects nothing.
    #[error("it has none of the labels that Loki is asked by (links.loki.labels)")]
    NoSelector,
}

/// The links of an alert, to logs first, without repetitions; at most [`LINKS_MAX`] and a few of its annotations.
pub fn of(alert: &Alert<'_>, arrival: LinkContext<'_>, config: &LinksConfig) -> Vec<Link> {
    let outcomes = outcomes(alert, arrival, config).into_iter();
    let link = |LinkOutcome { kind, annotation, url }| Some(Link { kind, annotation, url: url.ok()? });
    outcomes.filter_map(link).collect()
}

/// The same, and what there is no link for although the alert has something that could be one.
pub fn outcomes(alert: &Alert<'_>, arrival: LinkContext<'_>, config: &LinksConfig) -> Vec<LinkOutcome> {
    let to_logs = logs(alert, arrival, config).unwrap_or_default().into_iter().filter_map(|query| query.link);
    let candidates = [
        (LinkKind::Source, alert.generator_url.as_ref()),
        (LinkKind::Dashboard, alert.links.dashboard.as_ref()),
        (LinkKind::Panel, alert.links.panel.as_ref()),
        (LinkKind::Runbook, alert.annotations.get(RUNBOOK).unwrap_or_default()),
        (LinkKind::Image, alert.links.image.as_ref()),
        (LinkKind::Silence, alert.links.silence.as_ref()),
    ];
    let outcome = |kind, url| LinkOutcome { kind, annotation: None, url };
    let brought = candidates
        .into_iter()
        .filter(|(_, candidate)| !candidate.trim().is_empty())
        .map(|(kind, candidate)| outcome(kind, page(candidate, &config.rewrites)));
    let form = silence_form(alert, arrival, config).map(|url| outcome(LinkKind::Silence, url));
    let found = to_logs.map(|link| outcome(link.kind, Ok(link.url)));
    let mut outcomes: Vec<LinkOutcome> = Vec::new();
    for mut outcome in found.chain(brought).chain(form) {
        if outcome.is_among(&outcomes) {
            outcome.url = Err(NoLink::Repeated);
        }
        outcomes.push(outcome);
    }
    for annotated in annotated::of(alert) {
        // Of two runbooks the second one is called by its annotation.
        let is_taken = outcomes.iter().any(|known| known.kind == annotated.kind && known.url.is_ok());
        let kind = if is_taken { LinkKind::Annotated } else { annotated.kind };
        let annotation = Some(annotated.name.to_owned());
        let mut outcome = LinkOutcome { kind, annotation, url: page(annotated.url, &config.rewrites) };
        if outcome.is_among(&outcomes) {
            outcome.url = Err(NoLink::Repeated);
        }
        outcomes.push(outcome);
    }
    for kind in DISPENSABLE {
        let linked =
            outcomes.iter().filter(|outcome| outcome.url.is_ok() && outcome.annotation.is_none()).count();
        if linked > LINKS_MAX {
            let dispensable =
                outcomes.iter_mut().filter(|outcome| outcome.kind == kind && outcome.url.is_ok());
            dispensable.for_each(|outcome| outcome.url = Err(NoLink::TooMany));
        }
    }
    outcomes
}

/// The form in which an alert of Alertmanager that fires is silenced, if its sender has brought no other.
fn silence_form(
    alert: &Alert<'_>,
    arrival: LinkContext<'_>,
    config: &LinksConfig,
) -> Option<Result<String, NoLink>> {
    let sender = arrival.alertmanager?;
    let is_wanted = alert.status == Status::Firing && alert.links.silence.is_empty();
    is_wanted.then(|| {
        if alert.labels.are_whole() {
            silence_of(alert.labels.iter(), sender, config)
        } else {
            Err(NoLink::CutLabels)
        }
    })
}

/// The form in which everything with these labels is silenced, in the Alertmanager that calls itself `sender`.
pub(crate) fn silence_of<'l>(
    labels: impl Iterator<Item = (&'l str, &'l str)>,
    sender: &str,
    config: &LinksConfig,
) -> Result<String, NoLink> {
    // No card shows by which number people are called, a link neither; and nobody is told apart by that.
    let counts = |(name, value): &(&str, &str)| {
        !config.ignore_labels.iter().any(|ignored| ignored == name) && !is_somebodys_number(name, value)
    };
    silence::form(labels.filter(counts), sender, &config.rewrites)
}

/// The queries for the logs around an alert, or why there are none.
pub fn logs(
    alert: &Alert<'_>,
    arrival: LinkContext<'_>,
    config: &LinksConfig,
) -> Result<Vec<LogQuery>, NoLogs> {
    loki::queries(alert, arrival, config)
}

/// The address of a page people can reach, or why it is none; see [`Link::url`].
pub fn page(candidate: &str, rewrites: &[Rewrite]) -> Result<String, NoLink> {
    page::safe(candidate, rewrites)
}
