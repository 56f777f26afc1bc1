//! Cards in the words of a template: what Feishu takes of them, and what becomes of those that fail.

use feishu_sim::{BotSettings, Fault, FeishuSim, Lasting, Record, SimSettings};
use shared::config::{Environment, ReceiverConfig, TemplateConfig, parse};
use shared::envelope::Envelope;
use shared::queue::Settlement;

use crate::logs;
use crate::stage::{Stage, TOKEN, envelope, receiver, title};

/// The templates of this text.
pub(crate) fn templates(text: &str) -> Vec<TemplateConfig> {
    parse("test.yaml", &format!("templates:\n{text}"), Environment::default()).unwrap().templates
}

/// A worker whose receiver `default` goes by the template of this text.
async fn stage(text: &str) -> Stage {
    let sim = FeishuSim::start(SimSettings::new([BotSettings::new(TOKEN).no_limits()])).await.unwrap();
    let templates = templates(text);
    let template = Some(templates[0].name.clone());
    let receiver = ReceiverConfig { template, ..receiver(&sim, "default", TOKEN, None) };
    Stage::worded(sim, receiver, templates)
}

/// Tells it, and returns the card that was accepted.
async fn tell(stage: &mut Stage, envelope: &Envelope<'_>) -> Record {
    let tag = stage.deliver(envelope);
    assert_eq!(stage.fate(tag).await, Settlement::Done { tag });
    stage.sim.accepted().pop().unwrap()
}

fn body(record: &Record) -> String {
    let text = record.message().unwrap().pointer("/card/elements/0/text/content").unwrap().clone();
    text.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_card_is_told_in_the_words_of_its_receivers_template() {
    let mut stage = stage(
        "  ours:
    title: '{{ badge }} {{ severity }}: {{ name }} for {{ receiver }}'
    body: |
      **{{ labels.severity }}** on {{ labels.pod }} [handbook](https://handbook.example/{{ name }})
",
    )
    .await;
    let card = tell(&mut stage, &envelope("default", 1)).await;
    assert_eq!(title(&card), "[CRITICAL] critical: Alert1 for default");
    assert_eq!(
        body(&card),
        "**critical** on &#60;at id=all&#62;&#60;/at&#62; [handbook](https://handbook.example/Alert1)"
    );
    assert!(card.mentioned.is_empty());
    for part in ["title", "body"] {
        let metric = format!("larkfire_template_failures_total{{part=\"{part}\",template=\"ours\"}} 0");
        assert!(stage.shows(&metric), "{metric}");
    }
}

#[tokio::test]
async fn what_fails_is_told_in_the_built_in_words_counted_and_said_once() {
    let mut stage = stage(
        "  failing: { title: '{% for i in range(9000) %}{% for j in range(9000) %}{% endfor %}{% endfor %}', body: '{{ name / 2 }}' }\n",
    )
    .await;
    for index in [1, 2] {
        let card = tell(&mut stage, &envelope("default", index)).await;
        assert_eq!(title(&card), format!("[CRITICAL] Alert{index} · <at id=all></at>"));
        assert!(card.mentioned.is_empty());
    }
    for part in ["title", "body"] {
        let metric = format!("larkfire_template_failures_total{{part=\"{part}\",template=\"failing\"}} 2");
        assert!(stage.shows(&metric), "{metric}");
        let said = format!("the {part} of template failing failed");
        assert_eq!(logs::so_far().matches(&said).count(), 1, "{said}");
    }
    assert!(stage.shows("larkfire_alerts_total{outcome=\"told\"} 2"));
}

#[tokio::test]
async fn a_card_that_is_refused_is_told_as_a_text_in_the_same_words() {
    let mut stage =
        stage("  ours: { title: 'T {{ name }}', body: '**{{ severity }}** {{ labels.pod }}' }\n").await;
    stage
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
    let told = tell(&mut stage, &envelope("default", 1)).await;
    assert_eq!(title(&told), "T Alert1\ncritical ＜at id=all>＜/at>");
}
