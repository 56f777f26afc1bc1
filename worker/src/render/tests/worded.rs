//! Cards in words of one's own: what they may say, and what nothing an alert says can make of them.

use proptest::prelude::*;

use super::hostile::{HOSTILE, is_unseen, scene, signed};
use super::scenes::{self, alert, envelope, now};
use super::*;

const TITLE: &str = "{{ severity_name }} {{ names|join(', ') }} ({{ firing }}/{{ total }}) @ {{ place }}";
const BODY: &str = "\
<font color='{% if severity == 'critical' %}red{% else %}grey{% endif %}'>**{{ summary }}**</font>
{% for name, value in labels|items if name not in ['alertname', 'severity'] %}
{{ name }}: {{ value }}{% if not loop.last %} · {% endif %}
{% endfor %}

{{ starts_at }}, {{ duration }} → {{ owners|join(', ') }}
[{{ name }} in the handbook](https://handbook.example/alerts/{{ name }})\
{% for link in link_list %} · [{{ link.name }}]({{ link.url }}){% endfor %}
";

fn compiled(
    title: Option<&str>,
    body: Option<&str>,
) -> Result<CardTemplate, Vec<(TemplatePart, TemplateFault)>> {
    CardTemplate::compile("ours", [(TemplatePart::Title, title), (TemplatePart::Body, body)])
}

/// The template of the golden cards.
pub(super) fn example() -> CardTemplate {
    compiled(Some(TITLE), Some(BODY)).unwrap()
}

/// The card of these items in the words of a template, and what failed.
fn card_of(
    items: &[Item<'_>],
    template: &CardTemplate,
    bytes_max: usize,
) -> (Card, Vec<(TemplatePart, CardTemplateError)>) {
    let worded = AppliedTemplate::new(template, "ops");
    let besides = Besides { worded: Some(&worded), ..Besides::default() };
    let card = card_with(items, &style(Locale::En), now(), bytes_max, besides);
    (card, worded.into_failures())
}

/// What one alert's card says below its title.
fn body_of(alert: model::alert::Alert<'static>, body: &str) -> String {
    let envelope = envelope(vec![alert], 0);
    let template = compiled(None, Some(body)).unwrap();
    let (card, failures) = card_of(&Item::all_of(&envelope), &template, CARD_BYTES_MAX);
    assert_eq!(failures, [], "{body}");
    texts(&card)[0].content().to_owned()
}

fn disk_full() -> model::alert::Alert<'static> {
    let labels = [("team", "db"), ("host", "a.example/../x"), ("nothing", "\u{200b}")];
    alert("DiskFull", labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into(), "97 % *full*")
}

/// Templates that do what they can to let an alert's text out; none has a line feed of its own, and none links anywhere
/// but to a page of the alert's and to `mine.example`.
const CARELESS: [&str; 9] = [
    "{{ name }}{{ summary }} {{ labels.pod }}{{ annotations.message }}",
    "{{ summary|upper }}{{ summary|replace('a', '<at id=all></at>') }}{{ [name, summary]|join('](https://evil.example)') }}",
    "{% set x %}[{{ name }}](https://mine.example/{{ summary }}){% endset %}{{ x }}{{ x|lower }}",
    "{% filter replace('b id', 'at id') %}{{ summary }}<b id=all></b>{% endfilter %}",
    "{% for line in summary|lines %}{{ line }}{% endfor %}{% for n, v in labels|items %}{{ n }}={{ v }}; {% endfor %}",
    "[x]({{ labels.pod }})[x]({{ links.source }})[{{ name }}](https://{{ labels.pod }}/)[a]{{ labels.pod }}({{ labels.namespace }})",
    "{{ '<at id=all></at>' }}{{ '[x](https://evil.example)' }}{{ labels }}{{ annotations|string }}{{ [summary] }}",
    "<{{ labels.pod }}<{% if true %}at id=all>{% endif %}]({{ name }})<font color={{ name }}>![{{ name }}](https://mine.example/?q={{ name }})",
    "{{ name[:3] ~ summary[1:] }}{{ (name ~ '🟢')|reverse }}{{ '%s'|replace('%s', name) }}{{ '\n🟢 ' ~ name }}",
];

fn check(hostile: &str) {
    for body in CARELESS {
        let template = compiled(Some(body), Some(body)).unwrap();
        for alerts in [1, 2] {
            let scene = scene(hostile, alerts);
            let (card, failures) = card_of(&scene.items(), &template, CARD_BYTES_MAX);
            assert_eq!(failures, [], "{body}");
            check_card(&card, alerts);
            let besides = AppliedTemplate::new(&template, "ops");
            let besides = Besides { worded: Some(&besides), ..Besides::default() };
            let plain = plain_with(&scene.items(), &style(Locale::En), now(), besides);
            assert!(!plain.contains('<') && !plain.contains(is_unseen), "{plain}");
        }
    }
}

fn check_card(card: &Card, alerts: usize) {
    let title = card.header.title.content();
    assert!(!title.contains(['\n', '\r']) && !title.contains(is_unseen), "{title}");
    for part in texts(card) {
        assert!(!part.content().contains(is_unseen), "{part:?}");
        let CardText::Markdown { content } = &part else { continue };
        assert!(!content.contains('<'), "{content}");
        for (at, _) in content.match_indices("](") {
            assert!(content[at..].starts_with("](https://mine.example/"), "{content}");
        }
        // A heading of ours where there are several, one line of the template's, and perhaps our links.
        assert!(content.lines().count() <= alerts + 2, "{content}");
    }
    // One that the sender left out; and each alert that has company.
    let ours = if alerts == 1 { 1 } else { 1 + alerts };
    assert_eq!(texts(card).iter().map(|text| signed(text.content())).sum::<usize>(), ours, "{card:?}");
}

#[test]
fn no_template_lets_an_alert_mention_anybody_link_anywhere_or_begin_a_line() {
    check(HOSTILE);
    for hostile in
        ["](https://evil.example)", "<at id=all></at>", "\u{200b}", "evil.example/#", "a\n🟢 b", "!"]
    {
        check(hostile);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn nothing_that_goes_through_a_template_becomes_a_tag_a_link_or_a_line(
        hostile in "[<>at id=luser\\[\\]()\\\\*:/.!&#;🟢🔴➕🔁×1\n\r\t \u{2028}\u{200b}\u{202e}\u{3000}]{0,80}",
    ) {
        check(&hostile);
    }

    #[test]
    fn no_card_is_over_its_budget_whatever_a_template_says(
        names in proptest::collection::vec(".{0,300}", 1..40),
        text_of in ".{0,3000}",
        budget in 2_000_usize..=CARD_BYTES_MAX,
    ) {
        let alerts: Vec<_> = names.iter().map(|name| alert(name, Vec::new(), &text_of)).collect();
        let envelope = envelope(alerts, 3);
        let (card, _) = card_of(&Item::all_of(&envelope), &example(), budget);
        prop_assert!(length(&card) <= budget, "{} bytes of {}", length(&card), budget);
    }
}

#[test]
fn a_link_is_made_only_where_the_template_or_the_built_in_card_says_where_to() {
    for (body, expected) in [
        ("[x]({{ links.source }})", "[x](http://prometheus.example/graph)"),
        ("[x]({{ labels.host }})", "[x]"),
        ("[x](https://h.example)", "[x](https://h.example)"),
        ("[x](https://h.example/?q={{ labels.host }})", "[x](https://h.example/?q=a%2Eexample%2F%2E%2E%2Fx)"),
        ("[x](https://{{ labels.host }}/)", "[x]"),
        ("[x](https://h.example{{ labels.host }})", "[x]"),
        ("[x](javascript:{{ name }})", "[x]"),
        ("[x]({{ links.runbook }})", "[x]"),
        ("[x]{{ '\\u200b' }}({{ labels.host }})", "[x]&#40;a.example/../x)"),
        ("wow![x](https://h.example)", "wow&#33;[x](https://h.example)"),
    ] {
        assert_eq!(body_of(disk_full(), body).lines().next(), Some(expected), "{body}");
    }
}

#[test]
fn its_own_text_is_markdown_and_everything_else_is_text() {
    for (body, expected) in [
        ("**{{ summary }}**", "**97 % &#42;full&#42;**"),
        ("{{ '**' }}{{ labels.nobody.at.all }}", "&#42;&#42;"),
        ("<font color='red'>{{ name }}</font> <b>", "<font color='red'>DiskFull</font> &#60;b>"),
        (
            "{% if labels.team == 'db' %}\n# database\n{% endif %}\n\n\n{{ name }}\n\n",
            "# database\n\nDiskFull",
        ),
        ("{% set x %}**{{ name }}**{% endset %}{{ x }}", "&#42;&#42;DiskFull&#42;&#42;"),
    ] {
        let said = body_of(disk_full(), body);
        assert!(said.starts_with(expected), "{body}: {said}");
    }
}

#[test]
fn every_value_that_is_offered_is_there() {
    let offered = compiled(None, Some("{{ nobody }}")).unwrap_err().remove(0).1.message;
    let (_, offered) = offered.split_once("there are: ").unwrap();
    for name in offered.split(", ") {
        assert_eq!(
            body_of(disk_full(), &format!("{{{{ {name} is defined }}}}")).lines().next(),
            Some("True")
        );
    }
}

#[test]
fn what_a_template_cannot_say_is_said_in_the_built_in_words() {
    let too_much = "{% for i in range(300) %}{{ 'x' * 100 }}{% endfor %}";
    for (body, expected) in [
        (
            "{% for i in range(9000) %}{% for j in range(9000) %}{% endfor %}{% endfor %}",
            "it takes more than",
        ),
        ("{{ 'x' * 9000000 }}", "it takes more than"),
        (too_much, "it writes more than"),
        ("\n{{ summary / 2 }}", "line 2: invalid operation"),
        ("{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}", "line 1: "),
    ] {
        let envelope = envelope(vec![disk_full()], 0);
        let template = compiled(Some(body), Some(body)).unwrap();
        let (card, failures) = card_of(&Item::all_of(&envelope), &template, CARD_BYTES_MAX);
        let (built_in, _) = card_of(&Item::all_of(&envelope), &compiled(None, None).unwrap(), CARD_BYTES_MAX);
        assert_eq!(card, built_in, "{body}");
        let failed: Vec<_> = failures.iter().map(|(part, _)| *part).collect();
        assert_eq!(failed, [TemplatePart::Title, TemplatePart::Body], "{body}");
        assert!(failures.iter().all(|(_, error)| error.to_string().starts_with(expected)), "{failures:?}");
    }
}

#[test]
fn where_a_template_says_nothing_the_built_in_words_stand() {
    let envelope = envelope(vec![disk_full()], 0);
    let silent = compiled(Some("{{ labels.nobody }}"), Some("{% if false %}x{% endif %}\n")).unwrap();
    let (built_in, _) = card_of(&Item::all_of(&envelope), &compiled(None, None).unwrap(), CARD_BYTES_MAX);
    assert_eq!(card_of(&Item::all_of(&envelope), &silent, CARD_BYTES_MAX), (built_in, Vec::new()));
}

#[test]
fn what_does_not_fit_is_cut_at_a_line_and_says_so() {
    let scene = scenes::storm(12);
    let line = "**{{ summary }}**\n";
    let template = compiled(None, Some(&line.repeat(60))).unwrap();
    let (card, failures) = card_of(&scene.items(), &template, CARD_BYTES_MAX);
    assert_eq!(failures, []);
    let said: Vec<_> =
        texts(&card).into_iter().filter(|text| text.content().contains("is not well**")).collect();
    assert!(said.len() >= 5, "{card:?}");
    assert!(said.iter().any(|text| text.content().contains('…')));
    assert!(said.iter().all(|text| text.content().matches("**").count() % 2 == 0));
}

#[test]
fn links_stand_below_unless_the_template_has_a_place_for_them() {
    let envelope = envelope(vec![disk_full()], 0);
    let buttons = |body| {
        let (card, _) =
            card_of(&Item::all_of(&envelope), &compiled(None, Some(body)).unwrap(), CARD_BYTES_MAX);
        card.elements.iter().filter(|element| matches!(element, Element::Buttons { .. })).count()
    };
    assert_eq!([buttons("{{ name }}"), buttons("[s]({{ links.source }})")], [1, 0]);
}

#[test]
fn what_is_wrong_with_a_template_is_said_with_its_line() {
    for (text, line, said) in [
        ("a\n{{ name | shout }}", 2, "there is no filter `shout`"),
        ("{{ name|safe }}", 1, "there is no filter `safe`"),
        ("{{ name is loud }}{{ name is not defined }}", 1, "there is no test `loud`"),
        ("a\n\n{% filter shout %}x{% endfilter %}", 3, "there is no filter `shout`"),
        ("a\n{{ sumary }}", 2, "there is no value `sumary`"),
        ("{{ debug() }}", 1, "there is no value `debug`"),
        ("{% include 'x' %}", 1, "unknown statement include"),
        ("a\n{{ name", 2, "unexpected end of input"),
        ("a\n<AT id=all></at>", 2, "mentions somebody with <at>"),
        ("{# <at> #}a\u{7}", 1, "control character"),
        ("{{ names }}", 1, "there is no value `names`"),
    ] {
        let faults = compiled(None, Some(text)).unwrap_err();
        let [(TemplatePart::Body, fault)] = &faults[..] else { panic!("{text}: {faults:?}") };
        assert_eq!(fault.line, line, "{text}: {}", fault.message);
        assert!(fault.message.contains(said), "{text}: {}", fault.message);
    }
}
