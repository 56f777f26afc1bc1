//! What a format's reader hands back, with its limits: what is repeated in each part of a split envelope is short.
//! Pure.

use std::borrow::Cow;

use model::alert::{Alert, Fingerprint, Labels};
use model::envelope::{Envelope, Notice, Source};

use super::Context;

/// How long a group key may be, in bytes; of a longer one the fingerprint is kept, which groups just as well.
const GROUP_KEY_BYTES_MAX: usize = 1024;
/// How long a receiver's name may be, in bytes; the rest is cut, and then it names none of ours.
const RECEIVER_BYTES_MAX: usize = 256;

/// How large the labels of the group may be, names and values together, in bytes; the pairs that fit are kept.
const GROUP_LABELS_BYTES_MAX: usize = 4096;
/// How long the sender's own address may be, in bytes; a longer one is none.
const EXTERNAL_URL_BYTES_MAX: usize = 1024;

/// How long the title of a notice may be, in bytes; the rest is cut.
const NOTICE_TITLE_BYTES_MAX: usize = 512;
/// How long its message may be, in bytes; the rest is cut. Grafana's templates may write megabytes.
const NOTICE_MESSAGE_BYTES_MAX: usize = 8 * 1024;
/// What marks a cut.
const CUT_MARK: &str = "…";

/// A body's content, before it is given an id and a time.
#[derive(Debug, Default)]
pub(super) struct AlertReading<'a> {
    pub(super) receiver: Cow<'a, str>,
    pub(super) group_key: Cow<'a, str>,
    pub(super) group_labels: Labels<'a>,
    pub(super) external_url: Cow<'a, str>,
    pub(super) truncated: u64,
    pub(super) notice: Notice<'a>,
    pub(super) is_repeat: bool,
    pub(super) alerts: Vec<Alert<'a>>,
}

impl<'a> AlertReading<'a> {
    /// For formats that know no groups: each alert is one of its own, so its states keep their order.
    pub(super) fn single(alert: Alert<'a>) -> Self {
        let group_key = Cow::Owned(alert.fingerprint.as_str().to_owned());
        Self { group_key, alerts: vec![alert], ..Self::default() }
    }

    pub(super) fn into_envelope(self, source: Source, context: &Context) -> Envelope<'a> {
        Envelope {
            id: context.id,
            received_at: context.received_at,
            source,
            receiver: cut(self.receiver),
            group_key: short(self.group_key),
            group_labels: few(self.group_labels),
            external_url: if self.external_url.len() > EXTERNAL_URL_BYTES_MAX {
                Cow::Borrowed("")
            } else {
                self.external_url
            },
            truncated: self.truncated,
            notice: Notice {
                title: cut_with_mark(self.notice.title, NOTICE_TITLE_BYTES_MAX),
                message: cut_with_mark(self.notice.message, NOTICE_MESSAGE_BYTES_MAX),
            },
            is_repeat: self.is_repeat,
            is_unheard: false,
            instead_of: "".into(),
            alerts: self.alerts,
        }
    }
}

fn short(group_key: Cow<'_, str>) -> Cow<'_, str> {
    if group_key.len() <= GROUP_KEY_BYTES_MAX {
        return group_key;
    }
    Cow::Owned(Fingerprint::of_pairs([("group_key", &*group_key)]).as_str().to_owned())
}

fn few(labels: Labels<'_>) -> Labels<'_> {
    let bytes = |(name, value): (&str, &str)| name.len() + value.len();
    if labels.iter().map(bytes).sum::<usize>() <= GROUP_LABELS_BYTES_MAX {
        return labels;
    }
    let mut room = GROUP_LABELS_BYTES_MAX;
    let fitting = labels.iter().filter(|pair| match room.checked_sub(bytes(*pair)) {
        Some(left) => {
            room = left;
            true
        }
        None => false,
    });
    fitting.map(|(name, value)| (Cow::Owned(name.to_owned()), Cow::Owned(value.to_owned()))).collect()
}

fn cut_with_mark(text: Cow<'_, str>, bytes_max: usize) -> Cow<'_, str> {
    if text.len() <= bytes_max {
        return text;
    }
    let end = text.floor_char_boundary(bytes_max - CUT_MARK.len());
    Cow::Owned(format!("{}{CUT_MARK}", text.get(..end).unwrap_or_default()))
}

fn cut(receiver: Cow<'_, str>) -> Cow<'_, str> {
    let end = receiver.floor_char_boundary(RECEIVER_BYTES_MAX);
    match receiver {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(..end).unwrap_or(text)),
        Cow::Owned(mut text) => {
            text.truncate(end);
            Cow::Owned(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_large_group_labels_those_that_fit_are_kept() {
        let pair = |name: &'static str, bytes: usize| (Cow::Borrowed(name), Cow::Owned("x".repeat(bytes)));
        let labels: Labels<'_> = [pair("a", 3000), pair("b", 3000), pair("c", 10)].into_iter().collect();
        let kept = few(labels);
        assert_eq!(kept.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["a", "c"]);
    }
}
