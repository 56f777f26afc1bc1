//! Texts of templates, as they stand in the file. Whether they can be used is for the worker to say, which has the
//! engine; here it is only seen to that they are there, and not too long.

use super::kinds::Must;
use super::problem::Place;
use super::reader::{Reader, Section, key};

/// How long one text may be, in bytes: a card holds 20 000.
const TEMPLATE_BYTES_MAX: usize = 8 * 1024;
/// How long a template's name may be, in bytes: it stands in logs and metrics.
const NAME_BYTES_MAX: usize = 64;

/// Words of one's own for cards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateConfig {
    /// What receivers, logs and metrics call it.
    pub name: String,
    /// For the title.
    pub title: Option<TemplateText>,
    /// For each alert that is told in detail.
    pub body: Option<TemplateText>,
}

/// The text of one part, and where it stands, for what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateText {
    /// The text.
    pub text: String,
    /// File, line and key.
    pub place: Place,
}

pub(super) fn read(reader: &Reader, root: &Section<'_>) -> Vec<TemplateConfig> {
    let sections = root.sections("templates").into_iter();
    sections.filter_map(|(name, section)| template(reader, name, section)).collect()
}

/// The name of one of these.
pub(super) fn one_of(known: &[TemplateConfig]) -> impl Fn(&str) -> Result<String, Must> {
    move |name| {
        if known.iter().any(|template| template.name == name) {
            return Ok(name.to_owned());
        }
        let names: Vec<_> = known.iter().map(|template| template.name.as_str()).collect();
        match names.as_slice() {
            [] => Err("the name of a template, and none is configured".to_owned()),
            names => Err(format!("the name of a template: {}", names.join(", "))),
        }
    }
}

/// A template that is wrong is kept by its name: what is wrong with it is said once, and not again of each receiver.
fn template(reader: &Reader, name: String, section: Section<'_>) -> Option<TemplateConfig> {
    let part = |key| {
        let (text, place) = section.verbatim(key)?;
        if text.len() > TEMPLATE_BYTES_MAX {
            reader.report(place.clone(), format!("must be a text of at most {TEMPLATE_BYTES_MAX} bytes"));
        }
        Some(TemplateText { text, place })
    };
    let title = part(key("title"));
    let body = part(key("body"));
    let place = section.place();
    section.finish();
    if name.len() > NAME_BYTES_MAX || name.contains(char::is_control) {
        reader.report(place, format!("a name has at most {NAME_BYTES_MAX} bytes"));
        return None;
    }
    if title.is_none() && body.is_none() {
        reader.report(place, "needs a title, or a body, or both");
    }
    Some(TemplateConfig { name, title, body })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Environment, parse};

    fn read(text: &str) -> Result<Config, String> {
        parse("larkfire.yaml", text, Environment::default()).map_err(|errors| errors.to_string())
    }

    #[test]
    fn a_receiver_goes_by_its_own_template_or_by_that_of_all() {
        let text = "
template: plain
templates:
  plain: { body: '{{ summary }} costs ${{ labels.price }}' }
  ops:
    title: '{{ name }}'
    body: |
      **{{ summary }}**
        {{ description }}
receivers:
  default: { webhook_url: https://h/x, template: ops }
  other: { webhook_url: https://h/y }
";
        let config = read(text).unwrap();
        let chosen: Vec<_> = config.receivers.iter().map(|receiver| receiver.template.as_deref()).collect();
        assert_eq!((chosen, config.template.as_deref()), (vec![Some("ops"), Some("plain")], Some("plain")));
        let body = |index: usize| config.templates[index].body.clone().unwrap();
        assert_eq!(
            body(0).text,
            "{{ summary }} costs ${{ labels.price }}",
            "a template has no variables of ours"
        );
        assert_eq!(body(1).text, "**{{ summary }}**\n  {{ description }}\n");
        assert!(body(1).place.to_string().ends_with(": templates.ops.body"), "{}", body(1).place);
    }

    #[test]
    fn what_cannot_be_a_template_is_refused_with_its_key() {
        let long = "x".repeat(TEMPLATE_BYTES_MAX + 1);
        let text = format!(
            "
template: nobody
templates:
  empty: {{}}
  slip: {{ boddy: x, title: y }}
  long: {{ title: {long} }}
receivers:
  default: {{ webhook_url: https://h/x, template: slipp }}
"
        );
        let problems = read(&text).unwrap_err();
        for told in [
            "larkfire.yaml:2: template: must be the name of a template: empty, slip, long",
            "larkfire.yaml:4: templates.empty: needs a title, or a body, or both",
            "unknown key `templates.slip.boddy`; did you mean `body`?",
            "templates.long.title: must be a text of at most 8192 bytes",
            "receivers.default.template: must be the name of a template: empty, slip, long",
        ] {
            assert!(problems.contains(told), "{told:?} is not in {problems}");
        }
    }
}
