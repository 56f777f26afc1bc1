//! Where `larkfire` may show cards instead of sending them: for whoever tries it out, and never because a webhook got lost.

use std::io;
use std::path::{Path, PathBuf};

use config::{Config, Problem, needs_receiver};

/// Stands in the data directory from the first start with a receiver on.
const MARK: &str = "has-receivers";
/// What whoever finds the file wants to know.
const MARK_TEXT: &str = "Larkfire has had receivers here, and alerts for them may wait in queue.db: without receivers it does not \
                         start in this directory.\n";

/// Why cards may not be previewed, if there is no receiver.
///
/// The embedded queue is one process's own, so a preview takes nobody's alerts, unless they waited there before for
/// receivers whose settings are gone now. On RabbitMQ it would take those of the workers beside it, and beyond loopback nobody
/// sees the terminal: there it has to be asked for.
pub fn problems(config: &Config) -> Vec<Problem> {
    if !config.receivers.is_empty() {
        return Vec::new();
    }
    if config.queue.is_some() {
        return needs_receiver(config);
    }
    if had_receivers(&config.data_dir) {
        let message = format!(
            "are missing, and {} has had some: alerts for them may wait there. Set FEISHU_WEBHOOK_URL (or receivers in the file) \
             again; to look at cards without sending them, use another directory (LARKFIRE_DATA_DIR)",
            config.data_dir.display()
        );
        return vec![Problem::new("receivers", message)];
    }
    let is_local = [config.listen, config.admin_listen].iter().all(|address| address.ip().is_loopback());
    if is_local { Vec::new() } else { needs_receiver(config) }
}

/// Leaves the mark, for the starts to come.
///
/// # Errors
/// If the directory cannot be written to.
pub fn mark(data_dir: &Path) -> io::Result<()> {
    if had_receivers(data_dir) { Ok(()) } else { std::fs::write(mark_in(data_dir), MARK_TEXT) }
}

fn had_receivers(data_dir: &Path) -> bool {
    mark_in(data_dir).exists()
}

fn mark_in(data_dir: &Path) -> PathBuf {
    data_dir.join(MARK)
}

#[cfg(test)]
mod tests {
    use config::{Environment, parse};

    use super::*;

    fn said(settings: &str, data_dir: &Path) -> String {
        let text = format!("data_dir: '{}'\n{settings}", data_dir.display());
        let config = parse("test.yaml", &text, Environment::default()).unwrap();
        problems(&config).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_preview_is_for_whoever_tries_it_out_and_has_to_be_asked_for_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let new = folder.path();
        assert_eq!(said("", new), "");
        for settings in
            ["listen: 0.0.0.0:8080", "admin_listen: 0.0.0.0:9095", "queue: { url: amqp://broker }"]
        {
            assert!(said(settings, new).contains("set preview: true"), "{settings}");
            assert_eq!(said(&format!("{settings}\npreview: true"), new), "");
        }
    }

    #[test]
    fn where_there_were_receivers_nothing_that_waits_for_them_is_shown_instead() {
        let folder = tempfile::tempdir().unwrap();
        mark(folder.path()).unwrap();
        for settings in ["", "preview: true"] {
            let said = said(settings, folder.path());
            assert!(said.contains("has had some") && said.contains("LARKFIRE_DATA_DIR"), "{said}");
        }
        assert_eq!(said("receivers: { ops: { webhook_url: https://h/x } }", folder.path()), "");
    }
}
