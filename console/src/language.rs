//! The two languages of the pages, and which one somebody reads. Pure.

/// The cookie that keeps the choice.
pub(crate) const LANGUAGE_COOKIE: &str = "larkfire_language";

/// A language of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Language {
    /// English.
    English,
    /// Simplified Chinese.
    Chinese,
}

impl Language {
    /// Both, as the switch shows them.
    pub(crate) const ALL: [Self; 2] = [Self::English, Self::Chinese];

    /// The one of these texts that is in this language.
    pub(crate) const fn say<'t>(self, en: &'t str, zh: &'t str) -> &'t str {
        match self {
            Self::English => en,
            Self::Chinese => zh,
        }
    }

    /// As in `lang=""` and in the address.
    pub(crate) const fn tag(self) -> &'static str {
        self.say("en", "zh-CN")
    }

    /// What it calls itself.
    pub(crate) const fn name(self) -> &'static str {
        self.say("English", "中文")
    }

    /// The language of a tag such as `zh`, `zh-Hans-CN` or `en-GB`, if it is one of ours.
    pub(crate) fn of_tag(tag: &str) -> Option<Self> {
        match tag.trim().split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "zh" => Some(Self::Chinese),
            "en" => Some(Self::English),
            _ => None,
        }
    }

    /// The one that a browser's `Accept-Language` likes best; English if it names neither.
    pub(crate) fn accepted(header: &str) -> Self {
        let mut best = None::<(f32, Self)>;
        for part in header.split(',') {
            let (tag, parameters) = part.split_once(';').unwrap_or((part, ""));
            let Some(language) = Self::of_tag(tag) else { continue };
            let weight = parameters.trim().strip_prefix("q=");
            let weight = weight.map_or(1.0, |weight| weight.trim().parse().unwrap_or(0.0));
            if weight > 0.0 && best.is_none_or(|(most, _)| weight > most) {
                best = Some((weight, language));
            }
        }
        best.map_or(Self::English, |(_, language)| language)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_answered_in_the_language_it_likes_best() {
        for (header, expected) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Chinese),
            ("en-GB,en;q=0.9,zh;q=0.8", Language::English),
            ("de-DE,de;q=0.9,zh;q=0.3", Language::Chinese),
            ("en;q=0.1, zh-TW;q=0.5", Language::Chinese),
            ("zh;q=0, fr", Language::English),
            ("fr", Language::English),
            ("", Language::English),
            ("*;q=x,;;,", Language::English),
        ] {
            assert_eq!(Language::accepted(header), expected, "{header}");
        }
    }
}
