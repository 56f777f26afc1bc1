//! Cards in the words of a template: what Feishu takes of them, and what becomes of those that fail.

use config::{Environment, ReceiverConfig, TemplateConfig, parse};
use feishu_sim::{BotSettings, Fault, FeishuSim, Lasting, Record, SimSettings};
use model::envelope::Envelope;
use queue::Settlement;

use crate::harness::{Harness, TOKEN, envelope, receiver, title};
use crate::logs;

/// The templates of this text.
pub(crate) fn templates(text: &str) -> Vec<TemplateConfig> {
    parse("test.yaml", &format!("templates:\n{text}"), Environment::default()).unwrap().templates
}

/// A worker whose receiver `default` goes by the template of this text.
async fn harness(text: &str) -> Harness {
    let sim = FeishuSim::start(SimSettings::new([BotSettings::new(TOKEN).no_limits()])).await.unwrap();
    let templates = templates(text);
    let template = Some(templates[0].name.clone());
    let receiver = ReceiverConfig { template, ..receiver(&sim, "default", TOKEN, None) };
    Harness::worded(sim, receiver, templates)
}

/// Tells it, and returns the card that was accepted.
async fn tell(harness: &mut Harness, envelope: &Envelope<'_>) -> Record {
    let tag = harness.deliver(envelope);
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    harness.sim.accepted().pop().unwrap()
}

fn body(record: &Record) -> String {
    let text = record.message().unwrap().pointer("/card/elements/0/text/content").unwrap().clone();
    text.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_card_is_delivered_in_the_words_of_its_receivers_template() {
    let mut harness = harness(
        "  ours:
    title: '{{ badge }} {{ severity }}: {{ name }} for {{ receiver }}'
    body: |
      **{{ labels.severity }}** on {{ labels.pod }} [handbook](https://handbook.example/{{ name }})
",
    )
    .await;
    let card = tell(&mut harness, &envelope("default", 1)).await;
    assert_eq!(title(&card), "[CRITICAL] critical: Alert1 for default");
    assert_eq!(
        body(&card),
        "**critical** on &#60;at id=all&#62;&#60;/at&#62; [handbook](https://handbook.example/Alert1)"
    );
    assert!(card.mentioned.is_empty());
    for part in ["title", "body"] {
        let metric = format!("larkfire_template_failures_total{{part=\"{part}\",template=\"ours\"}} 0");
        assert!(harness.shows(&metric), "{metric}");
    }
}

#[tokio::test]
async fn what_fails_is_delivered_in_the_built_in_words_counted_and_said_once() {
    let mut harness = harness(
        "  failing: { title: '{% for i in range(9000) %}{% for j in range(9000) %}{% endfor %}{% endfor %}', body: '{{ name / 2 }}' }\n",
    )
    .await;
    for index in [1, 2] {
        let card = tell(&mut harness, &envelope("default", index)).await;
        assert_eq!(title(&card), format!("[CRITICAL] Alert{index} · <at id=all></at>"));
        assert!(card.mentioned.is_empty());
    }
    for part in ["title", "body"] {
        let metric = format!("larkfire_template_failures_total{{part=\"{part}\",template=\"failing\"}} 2");
        assert!(harness.shows(&metric), "{metric}");
        let fields = format!("template=\"failing\" part=\"{part}\"");
        let said = logs::so_far();
        let said = said.lines().filter(|line| line.contains("a template failed") && line.contains(&fields));
        assert_eq!(said.count(), 1, "{fields}");
    }
    assert!(harness.shows("larkfire_alerts_total{outcome=\"delivered\"} 2"));
}

#[tokio::test]
async fn a_card_that_is_refused_is_delivered_as_a_text_in_the_same_words() {
    let mut harness =
        harness("  ours: { title: 'T {{ name }}', body: '**{{ severity }}** {{ labels.pod }}' }\n").await;
    harness
        .sim
        .fault(
            TOKEN,
            &Fault::Refusal {
                code: 11246,
                msg: "create message content fail, ErrCode: 200621; ErrMsg: parse card json err".to_owned(),
            },
            Lasting::Times(1),
        )
        .unwrap();
    let delivered = tell(&mut harness, &envelope("default", 1)).await;
    assert_eq!(title(&delivered), "T Alert1\ncritical ＜at id=all>＜/at>");
}
