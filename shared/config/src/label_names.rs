//! The labels a configuration goes by: of an alert with too many, these are kept before others.

use std::collections::BTreeSet;

use super::{Config, RouteConfig, TemplateConfig};

/// What stands before the name of a label in a template.
const IN_TEMPLATES: &str = "labels";

impl Config {
    /// The names of all labels that routes, owners, links and templates go by, sorted, each once.
    pub fn label_names(&self) -> Vec<String> {
        let mut names = BTreeSet::new();
        of_routes(&self.routes, &mut names);
        let owners = &self.owners;
        names.extend(owners.labels.iter().chain(&owners.service_labels).cloned());
        names.extend(owners.by_label.iter().map(|(label, _)| label.clone()));
        names.extend(self.links.loki.labels.iter().flat_map(|(_, from)| from.iter().cloned()));
        self.templates.iter().for_each(|template| of_template(template, &mut names));
        names.into_iter().collect()
    }
}

fn of_routes(routes: &[RouteConfig], names: &mut BTreeSet<String>) {
    for route in routes {
        names.extend(route.matchers.iter().map(|matcher| matcher.name().to_owned()));
        of_routes(&route.routes, names);
    }
}

/// What a template takes from `labels`. It may take more in ways that cannot be seen here: then that label is one of many.
fn of_template(template: &TemplateConfig, names: &mut BTreeSet<String>) {
    for text in [&template.title, &template.body].into_iter().flatten() {
        let after = text.text.split(IN_TEMPLATES).skip(1);
        names.extend(after.filter_map(named_after).map(str::to_owned));
    }
}

/// The name in `.team` or `["team"]`.
fn named_after(text: &str) -> Option<&str> {
    if let Some(text) = text.strip_prefix('.') {
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
        return text.get(..end).filter(|name| !name.is_empty());
    }
    let quoted = text.strip_prefix('[')?.trim_start();
    let quote = quoted.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    quoted.get(1..)?.split_once(quote).map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use crate::{Environment, parse};

    #[test]
    fn routes_owners_links_and_templates_name_labels() {
        let text = r#"
receivers: { ops: { webhook_url: "https://h/x" } }
routes:
  - match: tenant="a"
    receiver: ops
    routes: [{ match: 'rack=~"r.*"', receiver: ops }]
owners: { labels: [keeper], service_labels: [svc], by_label: { squad: { a: b } } }
links: { loki: { labels: { k8s_ns: [kube_ns] } } }
templates:
  t: { title: "{{ labels.line }}", body: "{{ labels['app.kubernetes.io/name'] }} {{ labels[\"zone\"] }} {{ labels|items }}" }
"#;
        let names = parse("larkfire.yaml", text, Environment::default()).unwrap().label_names();
        let expected =
            ["app.kubernetes.io/name", "keeper", "kube_ns", "line", "rack", "squad", "svc", "tenant", "zone"];
        assert_eq!(names, expected);
    }
}
