//! The life of a request: gate, body, envelope, queue, answer.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use config::SuccessStatus;
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, EXPECT, HeaderMap};
use hyper::http::request::Parts;
use hyper::{Request, Response, Version};
use jiff::Timestamp;
use model::envelope::{Envelope, EnvelopeId, Line, Source, encode};
use model::interaction::InteractionId;
use queue::{Headers, Message, MessageDestination, Publisher};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use crate::addressing::Addressing;
use crate::answer::{Answer, AnswerBody, REFUSALS, ReceiptStyle};
use crate::body::BodyReader;
use crate::connections::{ConnectionHandle, RequestGuard};
use crate::expansion::expansion_bytes;
use crate::gate::{Gate, Origin, Shown, Standing};
use crate::lark::{Address, CALLBACK_BYTES_MAX, Call, Callbacks, Reply};
use crate::live_gate::LiveGate;
use crate::memory::{Held, Memory, header_bytes};
use crate::metrics::Metrics;
use crate::refusal_log::{RefusalLog, SUMMED_UP_EVERY, Uncounted};
use crate::route::{AlertRoute, Route, Target, route};
use crate::settings::Settings;
use crate::slowdown::Slowdown;
use crate::source::{Context, Endpoint, Parsed, SourceError, parse, parse_or_text, text_in};

/// From this size on a body is hashed and parsed beside the runtime: 24 MB take long enough to hold up everybody else.
const INLINE_BYTES_MAX: usize = 256 * 1024;
/// W3C trace context is 55 characters in its only version; a longer one is not passed on.
const TRACEPARENT_BYTES_MAX: usize = 64;

/// Takes requests in, and alerts to the queue.
#[derive(Debug)]
pub(crate) struct Intake {
    settings: Settings,
    addressing: Arc<Addressing>,
    gate: LiveGate,
    slowdown: Slowdown,
    refused: Mutex<RefusalLog>,
    memory: Memory,
    bodies: BodyReader,
    metrics: Metrics,
    publisher: Arc<dyn Publisher>,
    callbacks: Callbacks,
}

/// An answer, and the format it concerns as far as that was found out.
struct AcceptOutcome {
    source: Option<Source>,
    answer: Answer,
}

impl From<Answer> for AcceptOutcome {
    fn from(answer: Answer) -> Self {
        Self { source: None, answer }
    }
}

/// Who calls one of Feishu's addresses.
#[derive(Clone, Copy)]
struct Caller {
    address: Address,
    client: IpAddr,
}

/// What vouches for a body that names its receiver by itself.
struct Voucher {
    shown: Shown,
    /// The bytes that were signed, if they were.
    signed: Bytes,
}

/// Makes an envelope of a body.
struct Writer {
    context: Context,
    parser: Parser,
    /// The receivers that the path or the query names.
    receivers: Vec<String>,
    gate: Arc<Gate>,
    addressing: Arc<Addressing>,
    /// `None` where no receiver has a rule of its own, or the address names one.
    voucher: Option<Voucher>,
}

/// Envelopes in the form the queue takes, each line with its shard.
struct Written {
    source: Source,
    answer: SuccessStatus,
    lines: Vec<(u64, Line)>,
}

/// Whom the address of a request means.
#[derive(Debug, Default)]
struct Addressee {
    /// By name; none: the routes decide.
    receivers: Vec<String>,
    /// Whether the address itself is a credential for all of them.
    is_proven: bool,
    /// Whether it names a webhook that is nobody's.
    has_unknown: bool,
}

impl Addressee {
    /// Several bots may be one receiver's.
    fn add(&mut self, receiver: &str) {
        if !self.receivers.iter().any(|known| known == receiver) {
            self.receivers.push(receiver.to_owned());
        }
    }

    /// What the headers show, for each of them.
    fn check_credentials(
        &self,
        gate: &Gate,
        headers: &HeaderMap,
        endpoint: Endpoint,
        now: Timestamp,
    ) -> Result<Standing, Answer> {
        let check =
            |receiver| gate.check_credentials(headers, endpoint, receiver, now).map_err(Answer::Unauthorized);
        let mut standing = check(self.receivers.first().map(String::as_str))?;
        for receiver in self.receivers.iter().skip(1) {
            let other = check(Some(receiver))?;
            // Of two the one that has yet to be proven counts.
            if matches!(standing, Standing::Proven) {
                standing = other;
            }
        }
        Ok(standing)
    }

    fn check_known(&self, addressing: &Addressing) -> Result<(), Answer> {
        if self.has_unknown {
            return Err(Answer::NoSuchHook);
        }
        let is_known = self.receivers.iter().all(|name| addressing.receivers.contains(name.as_str()));
        if is_known { Ok(()) } else { Err(Answer::NoSuchReceiver) }
    }
}

impl Intake {
    pub(crate) fn new(
        settings: Settings,
        gate: LiveGate,
        publisher: Arc<dyn Publisher>,
        metrics: Metrics,
    ) -> Self {
        let memory = Memory::new(&settings.limits, metrics.bodies_bytes.clone());
        let bodies = BodyReader::new(&settings.limits);
        let callbacks = Callbacks::new(&settings.lark, settings.locale);
        let addressing = Arc::new(settings.addressing.clone());
        let slowdown = Slowdown::default();
        let refused = Mutex::default();
        Self { settings, addressing, gate, slowdown, refused, memory, bodies, metrics, publisher, callbacks }
    }

    /// The gate as it is now.
    pub(crate) fn gate(&self) -> Arc<Gate> {
        self.gate.now()
    }

    /// Answers one request and says so once, in the metrics and in the log.
    pub(crate) async fn answer(&self, request: Request<Incoming>, hop: Origin) -> Response<Full<Bytes>> {
        let begun = Instant::now();
        let (parts, mut body) = request.into_parts();
        let gate = self.gate();
        let origin = gate.origin(hop, &parts.headers);
        let admitted = self.memory.admit(header_bytes(&parts)).await;
        let outcome = match (route(&parts.method, &parts.uri), admitted) {
            // Feishu comes from addresses of its own and proves itself in its own way.
            (Ok(Route::Callback(address)), admitted) => {
                let caller = Caller { address, client: origin.address };
                return self.answer_callback(caller, admitted, parts, body).await;
            }
            _ if !gate.admits_origin(origin) => Err(Answer::AddressRefused.into()),
            (_, Err(full)) => Err(full.into()),
            (Ok(Route::Alert(route)), Ok(held)) => self.accept(&gate, route, &parts, &mut body, held).await,
            (Err(answer), Ok(_)) => Err(answer.into()),
        };
        let (Ok(AcceptOutcome { source, answer }) | Err(AcceptOutcome { source, answer })) = outcome;
        let client = origin.address;
        let form = answer.form();
        let form = if source == Some(Source::Nightingale) { form.with_429() } else { form };
        self.metrics.answered(source, form.code);
        let source = source.map_or("unknown", Source::as_str);
        let code = form.code;
        let status = form.status.as_u16();
        match &form.content {
            AnswerBody::Taken(receipt) => {
                self.metrics.accept_seconds.observe(begun.elapsed().as_secs_f64());
                debug!(%client, source, %receipt, "took alerts");
            }
            AnswerBody::Refused(reason) => {
                if self.is_news(client, code) {
                    warn!(%client, source, code, status, error = %reason, "refused a request");
                }
                let sends_on = !answer.is_of_broken_body() && sends_on(&parts, &body);
                // Whoever waits for a refusal holds nothing meanwhile: no headers, and nothing of what HTTP/2 has let the
                // client send ahead.
                drop(parts);
                if sends_on {
                    self.bodies.discard(&mut body).await;
                }
                drop(body);
                if REFUSALS.contains(&code) {
                    self.metrics.refused(code);
                    self.slowdown.wait(client, self.settings.clock.now()).await;
                }
            }
        }
        form.into_response()
    }

    /// Whether a refusal is to be logged by itself.
    fn is_news(&self, client: IpAddr, code: &'static str) -> bool {
        self.refusals().note(client, code, Instant::now())
    }

    /// Says once a minute what was refused and not logged one by one, and once more at the stop.
    pub(crate) async fn sum_up_refusals(&self, stop: CancellationToken) {
        let mut is_running = true;
        while is_running {
            is_running = stop.run_until_cancelled(sleep(SUMMED_UP_EVERY)).await.is_some();
            // At the stop whatever there is.
            let now = if is_running { Instant::now() } else { Instant::now() + SUMMED_UP_EVERY };
            let due = self.refusals().due(now);
            for Uncounted { client, code, requests } in due {
                let client = client.map_or_else(|| "several others".to_owned(), |client| client.to_string());
                warn!(client, code, requests, "refused further requests");
            }
        }
    }

    fn refusals(&self) -> MutexGuard<'_, RefusalLog> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers one call of Feishu's and says so once, in the metrics and in the log.
    async fn answer_callback(
        &self,
        caller: Caller,
        admitted: Result<Held, Answer>,
        parts: Parts,
        mut body: Incoming,
    ) -> Response<Full<Bytes>> {
        let Caller { address, client } = caller;
        let reply = match admitted {
            Ok(held) => self.take_callback(address, &parts, &mut body, held).await,
            Err(full) => Reply::unread(full, address),
        };
        let code = reply.code();
        let path = parts.uri.path();
        self.metrics.called_back(address, code);
        if let Reply::Recorded { id, kind, .. } = &reply {
            info!(%client, interaction.id = %id, kind, "recorded an interaction");
        } else if let Some(complaint) = reply.complaint() {
            if self.is_news(client, code) {
                warn!(%client, path, code, error = %complaint, "nothing came of a callback");
            }
        } else {
            debug!(%client, path, code, "answered a callback");
        }
        let sends_on = !reply.is_of_broken_body() && sends_on(&parts, &body);
        drop(parts);
        if sends_on {
            self.bodies.discard(&mut body).await;
        }
        reply.into_response(self.callbacks.locale)
    }

    async fn take_callback(
        &self,
        address: Address,
        parts: &Parts,
        body: &mut Incoming,
        mut held: Held,
    ) -> Reply {
        // Before the body: a stranger cannot make us hold one where nobody could prove anything.
        if !self.callbacks.are_on() {
            return Reply::Off;
        }
        if encoding(&parts.headers) != Some(BodyEncoding::Plain) {
            return Reply::Refused(Answer::Compressed);
        }
        let bytes = match self.bodies.read_within(body, &mut held, CALLBACK_BYTES_MAX).await {
            Ok(bytes) => bytes,
            Err(cause) => return Reply::unread(cause, address),
        };
        let working = working(parts);
        let received_at = self.settings.clock.now();
        let id = InteractionId::new(received_at, runtime::entropy::random());
        let call = Call { headers: &parts.headers, body: &bytes, received_at, id };
        let read = self.callbacks.read(&call);
        // It is believed, or else over in a moment.
        held.vouch();
        let reply = match read {
            Ok(taken) => taken.record(&*self.publisher).await,
            Err(reply) => reply,
        };
        drop((held, working));
        reply
    }

    async fn accept(
        &self,
        gate: &Arc<Gate>,
        route: AlertRoute<'_>,
        parts: &Parts,
        body: &mut Incoming,
        mut held: Held,
    ) -> Result<AcceptOutcome, AcceptOutcome> {
        let now = self.settings.clock.now();
        let AlertRoute { endpoint, target, origin, key, people, source } = route;
        let addressee = self.addressee(gate, endpoint, target);
        let receiver = addressee.receivers.first().map(String::as_str);
        let is_admitted = |key: &str| gate.admits_key_in_url(key, endpoint, receiver);
        let standing = if addressee.is_proven || key.as_deref().is_some_and(is_admitted) {
            Standing::Proven
        } else {
            addressee.check_credentials(gate, &parts.headers, endpoint, now)?
        };
        // Which receiver the body names is seen when it is parsed, and the headers are not kept until then.
        let names_nobody = receiver.is_none() && gate.has_receiver_rules();
        let shown = names_nobody.then(|| gate.shown(&parts.headers, key.as_deref(), now));
        let encoding = encoding(&parts.headers).ok_or(Answer::Compressed)?;
        if matches!(standing, Standing::Proven) {
            held.vouch();
        }
        let bytes = self.bodies.read(body, &mut held).await?;
        let working = working(parts);
        prove(Arc::clone(gate), standing, bytes.clone()).await?;
        held.vouch();
        let voucher = shown.map(|shown| Voucher { shown, signed: bytes.clone() });
        let (bytes, mut held) = match encoding {
            BodyEncoding::Plain => (bytes, held),
            BodyEncoding::Gzip => self.bodies.inflate(bytes, held).await?,
        };
        // Who has proven nothing is not told which receivers there are.
        addressee.check_known(&self.addressing)?;
        let received_at = self.settings.clock.now();
        let context = Context {
            id: EnvelopeId::new(received_at, runtime::entropy::random()),
            received_at,
            endpoint,
            timezone: self.settings.timezone.clone(),
            origin: origin.map(Cow::into_owned).unwrap_or_default(),
            ignore_labels: Arc::clone(&self.settings.ignore_labels),
            keep_labels: Arc::clone(&self.settings.keep_labels),
            people,
            sources: Arc::clone(&self.settings.sources),
            named_source: source.map(Cow::into_owned),
        };
        let id = context.id;
        let charset = charset(&parts.headers);
        let parser: Parser =
            if gate.accepts_text() && is_text(&parts.headers) { parse_or_text } else { parse };
        let writer = Writer {
            context,
            parser,
            receivers: addressee.receivers,
            gate: Arc::clone(gate),
            addressing: Arc::clone(&self.addressing),
            voucher,
        };
        expect_expansion(&bytes, &mut held).await?;
        let written = beside(bytes.len(), move || writer.write(&text_in(&bytes, charset.as_deref()))).await?;
        let source = written.source;
        let answer = written.answer;
        // What the body has become is all that is left of it.
        held.resize(written.lines.iter().map(|(_, line)| line.bytes.len()).sum()).await?;
        let alerts = self.publish(written, &parts.headers).await?;
        drop((held, working));
        let style = ReceiptStyle::of(endpoint, source, answer);
        Ok(AcceptOutcome { source: Some(source), answer: Answer::Accepted { id, alerts, style } })
    }

    /// Whom an address means.
    fn addressee(&self, gate: &Gate, endpoint: Endpoint, target: Target<'_>) -> Addressee {
        let hooks = match target {
            Target::Routes => return Addressee::default(),
            Target::Receiver(name) => {
                return Addressee { receivers: vec![name.into_owned()], ..Addressee::default() };
            }
            Target::Hooks(hooks) => hooks,
        };
        let mut addressee = Addressee { is_proven: true, ..Addressee::default() };
        for hook in hooks {
            if let Some(receiver) = self.settings.hooks.receiver_of(&hook) {
                addressee.is_proven &= gate.admits_hook_of(receiver);
                addressee.add(receiver);
            } else if self.addressing.receivers.contains(&*hook) {
                addressee.is_proven = false;
                addressee.add(&hook);
            } else if !gate.admits_key_in_url(&hook, endpoint, None) {
                addressee.is_proven = false;
                addressee.has_unknown = true;
            }
        }
        addressee
    }

    async fn publish(&self, written: Written, headers: &HeaderMap) -> Result<usize, AcceptOutcome> {
        let Written { source, lines, .. } = written;
        let alerts = lines.iter().map(|(_, line)| line.alerts).sum();
        let traceparent = traceparent(headers);
        let message = |(shard_key, line): (u64, Line)| Message {
            to: MessageDestination::Alerts { shard_key },
            body: line.bytes,
            headers: Headers { traceparent: traceparent.clone(), ..Headers::default() },
        };
        if !lines.is_empty() {
            let published = self.publisher.publish(lines.into_iter().map(message).collect()).await;
            published
                .map_err(|error| AcceptOutcome { source: Some(source), answer: Answer::NotQueued(error) })?;
        }
        self.metrics.accepted(source, alerts);
        Ok(alerts)
    }
}

/// Takes room for what a large body becomes while it is read. A small one is read where it holds nobody up, one at a time on
/// each processor.
async fn expect_expansion(bytes: &Bytes, held: &mut Held) -> Result<(), AcceptOutcome> {
    if bytes.len() <= INLINE_BYTES_MAX {
        return Ok(());
    }
    let body = bytes.clone();
    let expansion = beside(bytes.len(), move || Ok(expansion_bytes(&body))).await?;
    Ok(held.resize(held.body_bytes() + expansion).await?)
}

/// Whether the body is what was signed, if anything was.
async fn prove(gate: Arc<Gate>, standing: Standing, body: Bytes) -> Result<(), AcceptOutcome> {
    if matches!(standing, Standing::Proven) {
        return Ok(());
    }
    let bytes = body.len();
    let proof = move || gate.prove(&standing, &body).map_err(|refusal| Answer::Unauthorized(refusal).into());
    beside(bytes, proof).await
}

/// Does the work on a body of this size where it holds nobody up.
async fn beside<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> Result<T, AcceptOutcome> + Send + 'static,
) -> Result<T, AcceptOutcome> {
    if bytes <= INLINE_BYTES_MAX {
        return work();
    }
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|fault| {
        error!(error = %fault, "the work on a large body failed");
        Err(Answer::Internal.into())
    })
}

impl Writer {
    /// Text → lines for the queue. Borrows from the body up to the point where the lines are written.
    fn write(self, text: &str) -> Result<Written, AcceptOutcome> {
        let parsed = (self.parser)(text, &self.context).map_err(|error| AcceptOutcome {
            source: error.source(),
            answer: Answer::NotUnderstood(error),
        })?;
        let mut envelope = parsed.envelope;
        let source = envelope.source;
        let refused = |answer| AcceptOutcome { source: Some(source), answer };
        if parsed.sender.is_some_and(|sender| !self.gate.admits_sender(&sender)) {
            return Err(refused(Answer::SenderRefused));
        }
        if let Some(receiver) = self.receivers.first() {
            envelope.receiver = receiver.into();
        }
        if let Some(Voucher { shown, signed }) = &self.voucher
            && let Some(receiver) = self.addressing.receiver_of(&envelope)
        {
            let checked = self.gate.check_receiver(receiver, shown, signed);
            checked.map_err(|refusal| refused(Answer::Unauthorized(refusal)))?;
        }
        let mut lines = Vec::new();
        let mut add = |envelope: &Envelope<'_>| {
            let encoded = encode(envelope).map_err(|fault| {
                error!(error = %fault, "an envelope could not be written");
                refused(Answer::Internal)
            })?;
            lines.extend(encoded.into_iter().map(|line| (envelope.shard_key(), line)));
            Ok::<_, AcceptOutcome>(())
        };
        add(&envelope)?;
        for receiver in self.receivers.iter().skip(1) {
            envelope.receiver = receiver.into();
            // Copies are told by their ids.
            envelope.id = EnvelopeId::new(self.context.received_at, runtime::entropy::random());
            add(&envelope)?;
        }
        Ok(Written { source, answer: parsed.answer, lines })
    }
}

/// From here on the connection keeps its place: the client waits for us, and no longer we for it.
fn working(parts: &Parts) -> Option<RequestGuard> {
    parts.extensions.get().map(ConnectionHandle::work)
}

/// How a body is read.
type Parser = for<'b> fn(&'b str, &Context) -> Result<Parsed<'b>, SourceError>;

/// Whether the sender says that the body is text for people.
fn is_text(headers: &HeaderMap) -> bool {
    let declared = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    declared.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/plain"))
}

/// How a body is packed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum BodyEncoding {
    Plain,
    Gzip,
}

/// How the body is packed; `None` if it is in a way that nobody here unpacks.
fn encoding(headers: &HeaderMap) -> Option<BodyEncoding> {
    let values = headers.get_all(CONTENT_ENCODING).iter().map(|value| value.as_bytes().trim_ascii());
    let mut packed = values.filter(|value| !value.is_empty() && !value.eq_ignore_ascii_case(b"identity"));
    let is_gzip = |value: &[u8]| value.eq_ignore_ascii_case(b"gzip") || value.eq_ignore_ascii_case(b"x-gzip");
    match (packed.next(), packed.next()) {
        (None, _) => Some(BodyEncoding::Plain),
        (Some(one), None) if is_gzip(one) => Some(BodyEncoding::Gzip),
        (Some(_), _) => None,
    }
}

/// The character set the sender declares.
fn charset(headers: &HeaderMap) -> Option<String> {
    let declared = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let mut parameters = declared.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let (_, name) = parameters.find(|(key, _)| key.trim().eq_ignore_ascii_case("charset"))?;
    Some(name.trim().trim_matches('"').to_owned())
}

fn traceparent(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("traceparent")?.to_str().ok()?;
    (value.len() <= TRACEPARENT_BYTES_MAX).then(|| value.to_owned())
}

/// Whether the client goes on sending a body that was refused. One that waits for `100 Continue` does not begin, and
/// HTTP/2 can refuse a body without closing the connection.
fn sends_on(parts: &Parts, body: &Incoming) -> bool {
    parts.version < Version::HTTP_2 && !parts.headers.contains_key(EXPECT) && !body.is_end_stream()
}
