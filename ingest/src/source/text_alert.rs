//! An alert whose source is a text: what the custom and the Loki-Feishu format have in common.

use std::borrow::Cow;

use shared::alert::{Alert, Fingerprint, Labels, Links, Mention, Status};

use super::text_lines;

/// How many digits a mainland mobile number has without its country code.
const MAINLAND_DIGITS: usize = 11;

/// The alert: the text's first line is its name, the rest its description.
pub(super) fn told<'a>(
    message: &str,
    mut labels: Labels<'a>,
    (fingerprint, status): (Fingerprint<'a>, Status),
    mention: Mention<'a>,
) -> Alert<'a> {
    let (title, rest) = text_lines::title_and_rest(message);
    labels.insert_if_absent("alertname".into(), Cow::Owned(title.to_owned()));
    let mut annotations = Labels::default();
    for (name, text) in [("summary", title), ("description", rest)] {
        if !text.is_empty() {
            annotations.insert_if_absent(name.into(), Cow::Owned(text.to_owned()));
        }
    }
    Alert {
        fingerprint,
        status,
        // The text's own time is when the line was logged, not when the alert began: repeats would look new.
        starts_at: None,
        ends_at: None,
        labels,
        annotations,
        generator_url: Cow::Borrowed(""),
        links: Links::default(),
        mention,
    }
}

/// Whom the payload names, with mainland numbers in the form Feishu knows them by.
pub(super) fn mention<'a>(usernames: Vec<Cow<'a, str>>, phones: Vec<Cow<'a, str>>) -> Mention<'a> {
    Mention { usernames, mobiles: phones.into_iter().map(international).collect(), open_ids: Vec::new() }
}

fn international(phone: Cow<'_, str>) -> Cow<'_, str> {
    let mainland = phone.len() == MAINLAND_DIGITS && phone.bytes().all(|byte| byte.is_ascii_digit());
    if mainland { Cow::Owned(format!("+86{phone}")) } else { phone }
}
