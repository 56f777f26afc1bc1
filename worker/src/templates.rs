//! The templates in use, by receiver. They change with the configuration, while alerts come in; whose cards go by
//! which does, too.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use config::{
    BOT_MARK, Config, ConfigErrors, Problem, ReceiverConfig, Reloads, TemplateConfig, TemplateText,
};
use prometheus::{IntCounterVec, Registry};
use runtime::lifecycle::Lifecycle;
use runtime::metrics::delivery::TEMPLATE_FAILURES;
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{error, info, warn};

use crate::receiver::PREVIEW;
use crate::render::{AppliedTemplate, CardTemplate, TemplatePart};

/// How often the log says that the same part of the same template has failed; the metric counts each.
const SAID_EVERY: Duration = Duration::from_mins(1);

/// Templates by the receivers whose cards go by them, ready for use.
#[derive(Clone, Debug, Default)]
pub struct ByReceiver {
    all: Vec<Arc<CardTemplate>>,
    of: HashMap<String, Arc<CardTemplate>>,
}

impl ByReceiver {
    /// Of these settings, or everything that is wrong with them. `template` is what the preview goes by.
    pub fn new(
        templates: &[TemplateConfig],
        receivers: &[ReceiverConfig],
        template: Option<&str>,
    ) -> Result<Self, ConfigErrors> {
        let mut all = Vec::new();
        let mut problems = Vec::new();
        for template in templates {
            match compiled(template) {
                Ok(template) => all.push(Arc::new(template)),
                Err(found) => problems.extend(found),
            }
        }
        if !problems.is_empty() {
            return Err(ConfigErrors::sorted(problems));
        }
        let named = |name: &str| all.iter().find(|template| template.name() == name).cloned();
        let mut of: HashMap<_, _> =
            template.and_then(named).map(|template| (PREVIEW.to_owned(), template)).into_iter().collect();
        for receiver in receivers {
            let template = receiver.template.as_deref().and_then(named);
            // A receiver may be called like the preview, which there is only without receivers.
            match &template {
                Some(template) => drop(of.insert(receiver.name.clone(), Arc::clone(template))),
                None => drop(of.remove(&receiver.name)),
            }
        }
        Ok(Self { all, of })
    }

    /// The one that the receiver's cards go by; `None`: the built-in words. Of one of several bots, `NAME/1`, it is the
    /// receiver's: whether its bots copy or share may have been changed in the file, and is not yet what runs.
    pub fn of(&self, receiver: &str) -> Option<&Arc<CardTemplate>> {
        let name = receiver.split_once(BOT_MARK).map_or(receiver, |(name, _)| name);
        self.of.get(name)
    }
}

/// What is wrong with templates that cannot be used: for binaries, which then end as with any other bad configuration, and do not
/// take it while they run.
pub fn problems(config: &Config) -> Vec<Problem> {
    let all = ByReceiver::new(&config.templates, &config.receivers, config.template.as_deref());
    all.err().map(|errors| errors.0).unwrap_or_default()
}

fn compiled(config: &TemplateConfig) -> Result<CardTemplate, Vec<Problem>> {
    let TemplateConfig { name, title, body } = config;
    let text_of = |part| match part {
        TemplatePart::Title => title.as_ref(),
        TemplatePart::Body => body.as_ref(),
    };
    let texts =
        TemplatePart::ALL.map(|part| (part, text_of(part).map(|text: &TemplateText| text.text.as_str())));
    CardTemplate::compile(name, texts).map_err(|faults| {
        let problem = |(part, fault): (TemplatePart, crate::render::TemplateFault)| {
            let place = text_of(part).map(|text| text.place.clone()).unwrap_or_default();
            Problem::new(place, format!("line {} of the template: {}", fault.line, fault.message))
        };
        faults.into_iter().map(problem).collect()
    })
}

/// The templates as they are now. Clones follow the same configuration.
#[derive(Clone, Debug)]
pub(crate) struct LiveTemplates {
    now: watch::Receiver<Arc<ByReceiver>>,
    failures: IntCounterVec,
    said: Arc<Mutex<HashMap<(String, TemplatePart), Instant>>>,
}

impl LiveTemplates {
    /// Begins with these and follows their reloads. What cannot be used changes nothing.
    pub(crate) fn follow(
        first: ByReceiver,
        mut reloads: Reloads,
        registry: &Registry,
        lifecycle: &Lifecycle,
    ) -> prometheus::Result<Self> {
        let failures = TEMPLATE_FAILURES.counters()?;
        registry.register(Box::new(failures.clone()))?;
        show(&failures, &first);
        let publish = watch::Sender::new(Arc::new(first));
        let templates = Self { now: publish.subscribe(), failures: failures.clone(), said: Arc::default() };
        lifecycle.spawn_detached(async move {
            while let Some(config) = reloads.next().await {
                match ByReceiver::new(&config.templates, &config.receivers, config.template.as_deref()) {
                    Ok(next) => {
                        show(&failures, &next);
                        publish.send_replace(Arc::new(next));
                        info!("the templates go by the new configuration");
                    }
                    Err(errors) => error!(error = %errors, "the templates stay as they were"),
                }
            }
        });
        Ok(templates)
    }

    /// What the receiver's cards go by now; `None`: the built-in words.
    pub(crate) fn of(&self, receiver: &str) -> Option<Arc<CardTemplate>> {
        self.now.borrow().of(receiver).cloned()
    }

    /// Makes something with the words of a receiver, and says what failed of them.
    pub(crate) fn template<T>(
        &self,
        receiver: &str,
        say: impl FnOnce(Option<&AppliedTemplate<'_>>) -> T,
    ) -> T {
        let Some(template) = self.of(receiver) else { return say(None) };
        let worded = AppliedTemplate::new(&template, receiver);
        let made = say(Some(&worded));
        for (part, error) in worded.into_failures() {
            let name = template.name();
            self.failures.with_label_values(&[name, part.as_str()]).inc();
            if self.is_news(name, part) {
                let part = part.as_str();
                warn!(
                    receiver,
                    template = name,
                    part,
                    %error,
                    "a template failed; the built-in words are used"
                );
            }
        }
        made
    }

    fn is_news(&self, template: &str, part: TemplatePart) -> bool {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.retain(|_, at| at.elapsed() < SAID_EVERY);
        let key = (template.to_owned(), part);
        let is_news = !said.contains_key(&key);
        said.entry(key).or_insert_with(Instant::now);
        is_news
    }
}

/// Every part of every template, from the first scrape on.
fn show(failures: &IntCounterVec, by_receiver: &ByReceiver) {
    for template in &by_receiver.all {
        for part in TemplatePart::ALL {
            failures.with_label_values(&[template.name(), part.as_str()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use config::{Environment, parse};

    use super::*;

    fn refused(templates: &str) -> String {
        let text =
            format!("templates:\n{templates}receivers: {{ default: {{ webhook_url: https://h/x }} }}\n");
        let config = parse("larkfire.yaml", &text, Environment::default()).unwrap();
        ConfigErrors(problems(&config)).to_string()
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once_with_its_key_and_its_line() {
        let problems = refused(
            "  ops:
    title: '{{ name | shout }}'
    body: |
      fine
      {% if labels.team %}
  dba: { body: 'x {{ sevrity }}' }
",
        );
        for told in [
            "larkfire.yaml:3: templates.ops.title: line 1 of the template: there is no filter `shout`",
            "templates.ops.body: line 2 of the template: syntax error: unexpected end of input",
            "larkfire.yaml:7: templates.dba.body: line 1 of the template: there is no value `sevrity`; there are: ",
        ] {
            assert!(problems.contains(told), "{told:?} is not in {problems}");
        }
    }

    #[test]
    fn the_documentation_names_every_value_and_its_examples_can_be_used() {
        let page = include_str!("../../docs/templates.md");
        let examples: Vec<_> =
            page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        assert_eq!(examples.len(), 4);
        for example in examples {
            let (templates, _) = example.split_once("receivers:").unwrap_or((example, ""));
            let config = parse("docs", templates, Environment::default()).unwrap();
            assert_eq!(problems(&config), []);
        }
        let offered = refused("  ops: { title: '{{ nobody }}' }\n");
        let (_, offered) = offered.split_once("there are: ").unwrap();
        for name in offered.split(", ") {
            assert!(page.contains(&format!("`{name}`")), "{name} is not told");
        }
    }

    #[test]
    fn each_bot_of_a_receiver_goes_by_its_template() {
        let text = "{ template: all, templates: { all: { title: a }, ops: { title: b } }, receivers: { default: \
            { bots: [{ webhook_url: https://h/x }, { webhook_url: https://h/y }], template: ops } } }";
        let config = parse("larkfire.yaml", text, Environment::default()).unwrap();
        let by = ByReceiver::new(&config.templates, &config.receivers, config.template.as_deref()).unwrap();
        let name = |receiver| by.of(receiver).map(|template| template.name());
        assert_eq!([name("default/1"), name("default/2"), name("other")], [Some("ops"), Some("ops"), None]);
        assert_eq!(by.of(PREVIEW).map(|template| template.name()), Some("all"));
    }

    #[test]
    fn bots_keep_their_receivers_words_when_the_file_says_otherwise_how_they_share() {
        for mode in ["copy", "spread"] {
            let text = format!(
                "templates: {{ short: {{ title: '{{{{ name }}}}' }} }}\nreceivers:\n  ops:\n    template: short\n    mode: {mode}\n    \
                 bots: [{{ webhook_url: https://h/a }}, {{ webhook_url: https://h/b }}]\n"
            );
            let config = parse("larkfire.yaml", &text, Environment::default()).unwrap();
            let all = ByReceiver::new(&config.templates, &config.receivers, None).unwrap();
            for running in ["ops", "ops/1", "ops/2"] {
                assert!(all.of(running).is_some(), "{running} while the file says {mode}");
            }
            assert!(all.of("other/1").is_none());
        }
    }
}
