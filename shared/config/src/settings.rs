//! Every setting with its key, its variable, its kind and its default: the one list of them in the code.
//! The registry says for people what each is for, and tests hold the two together.

use std::path::PathBuf;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::amqp::{amqp_uri, amqp_url, is_amqps};
use super::kinds::{
    address, basic_pair, broken_receiver, bytes, credential, duration, header_name, host_name, locale,
    log_format, network, number, prefix, readable_file, text, timezone, yes_or_no,
};
use super::problem::Place;
use super::reader::{Key, Reader, Section, key, key_or};
use super::receivers::CardDefaults;
use super::tree::Node;
use super::{
    Allowances, Config, DeliveryConfig, GateConfig, HmacConfig, IngestLimits, LarkConfig, PathRule,
    QueueConfig, ReceiverConfig, SHARDS_MAX, Secret, SpoolConfig,
};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

pub(super) fn read(reader: &Reader, tree: &Node) -> Config {
    let root = reader.root(tree);
    let app = super::app::app(reader, root.section("app"));
    let templates = super::templates::read(reader, &root);
    let template = root.value(key("template"), super::templates::one_of(&templates));
    let cards = super::cards::cards(root.section("cards"));
    let defaults = CardDefaults { template: template.as_deref(), format: cards.format };
    let receivers = super::receivers::read(reader, &root, app.as_ref(), &templates, defaults);
    let preview = preview(reader, &root, &receivers);
    let lark = lark(root.section("lark"));
    let hears_presses = lark.encrypt_key.is_some() || lark.verification_token.is_some();
    let dedup = root.section("dedup");
    let mut config = Config {
        listen: root
            .value(key_or("listen", "LARKFIRE_LISTEN"), address)
            .unwrap_or(([127, 0, 0, 1], 8080).into()),
        admin_listen: root
            .value(key_or("admin_listen", "LARKFIRE_ADMIN_LISTEN"), address)
            .unwrap_or(([127, 0, 0, 1], 9095).into()),
        probes_listen: root.value(key_or("probes_listen", "LARKFIRE_PROBES_LISTEN"), address),
        admin_hosts: root.values(key_or("admin_hosts", "LARKFIRE_ADMIN_HOSTS"), host_name),
        console: super::console::console(reader, root.section("console"), app.as_ref()),
        tls: super::tls::ingest(reader, root.section("tls")),
        admin_tls: super::tls::admin(reader, root.section("admin_tls")),
        https_ca_file: https_ca_file(root.section("https")),
        data_dir: root
            .value(key_or("data_dir", "LARKFIRE_DATA_DIR"), text)
            .map_or_else(|| PathBuf::from("./data"), PathBuf::from),
        queue: queue(reader, root.section("queue")),
        spool: spool(root.section("spool")),
        gate: gate(reader, root.section("gate")),
        lark,
        limits: limits(root.section("limits")),
        routes: super::routes::read(reader, &root, &receivers),
        heartbeats: super::heartbeats::read(reader, &root, &receivers),
        trouble: super::trouble::read(reader, &root, &receivers),
        receivers,
        preview,
        app,
        delivery: delivery(root.section("delivery")),
        database: super::storage::database(reader, root.section("database")),
        history: super::storage::history(root.section("history")),
        identity: super::storage::identity(&dedup),
        dedup: super::storage::dedup(dedup),
        links: super::links::links(root.section("links")),
        cards,
        images: super::images::images(root.section("images")),
        templates,
        template,
        severities: super::severities::severities(&root),
        sources: super::sources::read(reader, &root),
        owners: super::owners::owners(reader, root.section("owners")),
        rotations: super::rotations::read(reader, &root),
        escalations: Vec::new(),
        interactions: super::interactions::interactions(root.section("interactions"), hears_presses),
        alertmanagers: super::interactions::alertmanagers(reader, &root),
        timezone: root.value(key_or("timezone", "TIMEZONE"), timezone).unwrap_or_else(shanghai),
        locale: root.value(key_or("locale", "LOCALE"), locale).unwrap_or_default(),
        log: root.value(key_or("log_format", "LARKFIRE_LOG_FORMAT"), log_format).unwrap_or_default(),
        shutdown_delay: shutdown_delay(&root),
        shutdown_grace: shutdown_grace(&root),
        notes: Vec::new(),
        files: Vec::new(),
    };
    config.escalations = super::escalations::read(reader, &root, &config);
    config.links.ignore_labels.clone_from(&config.identity.ignore_labels);
    config.links.console_url = config.console.address();
    config.notes.extend(super::links::note(&config.links));
    config.notes.extend(unused_spool(&config));
    root.finish();
    config
}

fn unused_spool(config: &Config) -> Option<String> {
    let note = "spool.dir is set, but the embedded queue is on disk itself and needs no spool";
    (config.spool.is_some() && config.queue.is_none()).then(|| note.to_owned())
}

fn shutdown_grace(root: &Section<'_>) -> Duration {
    root.value(key("shutdown_grace"), duration(SECOND..=10 * MINUTE)).unwrap_or(20 * SECOND)
}

fn shutdown_delay(root: &Section<'_>) -> Duration {
    let delay = duration(Duration::ZERO..=10 * MINUTE);
    root.value(key_or("shutdown_delay", "LARKFIRE_SHUTDOWN_DELAY"), delay).unwrap_or(Duration::ZERO)
}

fn preview(reader: &Reader, root: &Section<'_>, receivers: &[ReceiverConfig]) -> bool {
    let preview = root.value(key_or("preview", "LARKFIRE_PREVIEW"), yes_or_no).unwrap_or(false);
    if preview && !receivers.is_empty() {
        reader.report(
            root.place_at("preview"),
            "shows cards instead of sending them, and there are receivers: remove either",
        );
    }
    preview
}

fn shanghai() -> TimeZone {
    TimeZone::get("Asia/Shanghai").unwrap_or(TimeZone::UTC)
}

fn https_ca_file(section: Section<'_>) -> Option<PathBuf> {
    let ca_file = section.value(key("ca_file"), readable_file);
    section.finish();
    ca_file
}

fn queue(reader: &Reader, section: Section<'_>) -> Option<QueueConfig> {
    const URL: Key = key_or("url", "AMQP_URL");
    let url = section.secret(URL, amqp_url);
    // What is set and wrong is reported; that it is missing would be one report too many.
    let is_set = url.is_some() || section.is_set(URL);
    // Read even without a URL, so that every problem is found and every key is known.
    let queue = QueueConfig {
        url: url.unwrap_or_else(|| Secret::new(String::new())),
        tls: super::tls::broker(reader, section.section("tls")),
        prefix: section
            .value(key_or("prefix", "LARKFIRE_QUEUE_PREFIX"), prefix)
            .unwrap_or_else(|| "larkfire".to_owned()),
        shards: section.value(key("shards"), number(1..=SHARDS_MAX.into())).unwrap_or(1),
        publish_connections: section.value(key("publish_connections"), number(1..=16)).unwrap_or(2),
        publish_window: section.value(key("publish_window"), number(1..=250)).unwrap_or(100),
        publish_timeout: section
            .value(key("publish_timeout"), duration(Duration::from_millis(100)..=30 * SECOND))
            .unwrap_or(2 * SECOND),
        prefetch: section.value(key("prefetch"), number(1..=10_000)).unwrap_or(2_000),
    };
    // Somebody means to have TLS, and would not.
    if queue.tls.is_set() && amqp_uri(&queue.url).is_ok_and(|uri| !is_amqps(&uri)) {
        reader.report(
            section.place_at("tls"),
            "is for addresses that begin with amqps://, and queue.url does not",
        );
    }
    section.finish();
    is_set.then_some(queue)
}

fn spool(section: Section<'_>) -> Option<SpoolConfig> {
    let dir = section.value(key_or("dir", "LARKFIRE_SPOOL_DIR"), text);
    let max_bytes = section.value(key("max_bytes"), bytes(MIB..=64 * 1024 * MIB)).unwrap_or(256 << 20);
    section.finish();
    dir.map(|dir| SpoolConfig { dir: dir.into(), max_bytes: max_bytes as u64 })
}

fn gate(reader: &Reader, section: Section<'_>) -> GateConfig {
    let (paths, places): (Vec<_>, Vec<_>) = paths(&section).into_iter().unzip();
    let gate = GateConfig {
        allowed_ips: section.values(key_or("allowed_ips", "ALLOWED_IPS"), network),
        trusted_proxies: section.values(key_or("trusted_proxies", "TRUSTED_PROXIES"), network),
        proxy_protocol: section.value(key("proxy_protocol"), yes_or_no).unwrap_or(false),
        api_keys: section.secrets(key_or("api_keys", "API_KEYS"), text),
        basic_auth: section.secrets(key_or("basic_auth", "BASIC_AUTH"), basic_pair),
        hmac: hmac(&section),
        paths,
        allowances: Allowances {
            accept_text: section.value(key("accept_text"), yes_or_no).unwrap_or(false),
            key_in_url: section.value(key("key_in_url"), yes_or_no).unwrap_or(false),
        },
        alert_bot_ids: section.values(key_or("alert_bot_ids", "ALERT_BOT_IDS"), text),
        allow_unauthenticated: section.value(key("allow_unauthenticated"), yes_or_no).unwrap_or(false),
    };
    let place = section.place();
    section.finish();
    if gate.proxy_protocol && gate.trusted_proxies.is_empty() {
        reader.report(place, "proxy_protocol is for connections from trusted_proxies, and there are none");
    }
    for (rule, place) in gate.paths.iter().zip(places) {
        if !is_alert_path(&rule.path) {
            reader.report(place.clone(), "is none of /alert, /api/alert and /api/alert/RECEIVER");
        }
        // Otherwise a slip would shut the path, or, worse, look as if it were guarded.
        if !rule.accept.iter().any(|credential| gate.has(*credential)) {
            reader.report(
                place,
                "accepts nothing that is configured: set api_keys, basic_auth or hmac_secrets",
            );
        }
    }
    gate
}

fn lark(section: Section<'_>) -> LarkConfig {
    let lark = LarkConfig {
        encrypt_key: section.secret(key_or("encrypt_key", "LARK_ENCRYPT_KEY"), text),
        verification_token: section.secret(key_or("verification_token", "LARK_VERIFICATION_TOKEN"), text),
    };
    section.finish();
    lark
}

fn hmac(section: &Section<'_>) -> HmacConfig {
    let default = HmacConfig::default();
    HmacConfig {
        secrets: section.secrets(key_or("hmac_secrets", "HMAC_SECRETS"), text),
        header: section.value(key("hmac_header"), header_name).unwrap_or(default.header),
        timestamp_header: section
            .value(key("hmac_timestamp_header"), header_name)
            .unwrap_or(default.timestamp_header),
        require_timestamp: section
            .value(key("hmac_require_timestamp"), yes_or_no)
            .unwrap_or(default.require_timestamp),
    }
}

fn paths(section: &Section<'_>) -> Vec<(PathRule, Place)> {
    let rule = |(path, section): (String, Section<'_>)| {
        let accept = section.values(key("accept"), credential);
        let place = section.place();
        section.finish();
        (PathRule { path, accept }, place)
    };
    section.sections("paths").into_iter().map(rule).collect()
}

fn is_alert_path(path: &str) -> bool {
    let receiver = path.strip_prefix("/api/alert/");
    matches!(path, "/alert" | "/api/alert")
        || receiver.is_some_and(|name| !name.is_empty() && !name.ends_with('/'))
}

fn limits(section: Section<'_>) -> IngestLimits {
    let size = |name, range, default| section.value(key(name), bytes(range)).unwrap_or(default);
    let limits = IngestLimits {
        connections: section.value(key("connections"), number(1..=1_000_000)).unwrap_or(4096),
        header_bytes: size("header_bytes", 8 * KIB..=MIB, 32 << 10),
        // 20 000 alerts of 1.2 KB, the largest group seen in the wild, are 24 MB.
        body_bytes: size("body_bytes", KIB..=1024 * MIB, 32 << 20),
        bodies_bytes: size("bodies_bytes", KIB..=64 * 1024 * MIB, 128 << 20),
        header_timeout: section
            .value(key("header_timeout"), duration(SECOND..=10 * MINUTE))
            .unwrap_or(30 * SECOND),
        // Load balancers take up connections that have been idle for 60 s, and lose what they send on one that is closed.
        keep_alive: section.value(key("keep_alive"), duration(SECOND..=10 * MINUTE)).unwrap_or(90 * SECOND),
        body_timeout: section
            .value(key("body_timeout"), duration(SECOND..=10 * MINUTE))
            .unwrap_or(30 * SECOND),
    };
    section.finish();
    limits
}

/// Further cards for one that could not list all: more nobody reads, and each takes a place in the bot's budget.
const CONTINUATION_CARDS_MAX: u64 = 3;

fn delivery(section: Section<'_>) -> DeliveryConfig {
    let delivery = DeliveryConfig {
        attempts_in_place: section.value(key("attempts_in_place"), number(1..=10)).unwrap_or(3),
        request_timeout: section
            .value(key("request_timeout"), duration(SECOND..=MINUTE))
            .unwrap_or(10 * SECOND),
        give_up_after: section.value(key("give_up_after"), duration(SECOND..=30 * DAY)).unwrap_or(DAY),
        concurrency: section.value(key("concurrency"), number(1..=1024)).unwrap_or(64),
        // Well under the 30 minutes after which a broker takes an unsettled message for lost.
        hold: section.value(key("hold"), duration(SECOND..=20 * MINUTE)).unwrap_or(5 * MINUTE),
        broken_receiver: section.value(key("broken_receiver"), broken_receiver).unwrap_or_default(),
        continuation_cards: section
            .value(key("continuation_cards"), number(0..=CONTINUATION_CARDS_MAX))
            .unwrap_or(0),
    };
    section.finish();
    delivery
}
