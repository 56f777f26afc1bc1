//! The life of a request: gate, body, envelope, queue, answer.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, EXPECT, HeaderMap};
use hyper::http::request::Parts;
use hyper::{Request, Response, Version};
use model::envelope::{EnvelopeId, Line, Source, encode};
use model::interaction::InteractionId;
use queue::{Headers, Message, MessageDestination, Publisher};
use tokio::time::Instant;
use tracing::{debug, error, info, warn};

use crate::answer::{Answer, AnswerBody, REFUSALS};
use crate::body::Budget;
use crate::connections::{ConnectionHandle, RequestGuard};
use crate::gate::{Gate, Origin, Standing};
use crate::lark::{Address, CALLBACK_BYTES_MAX, Call, Callbacks, Reply};
use crate::live_gate::LiveGate;
use crate::metrics::Metrics;
use crate::route::{AlertRoute, Route, route};
use crate::settings::Settings;
use crate::slowdown::Slowdown;
use crate::source::{Context, Parsed, SourceError, parse, parse_or_text, text_in};

/// From this size on a body is hashed and parsed beside the runtime: 24 MB take long enough to hold up everybody else.
const INLINE_BYTES_MAX: usize = 256 * 1024;
/// W3C trace context is 55 characters in its only version; a longer one is not passed on.
const TRACEPARENT_BYTES_MAX: usize = 64;

/// Takes requests in, and alerts to the queue.
#[derive(Debug)]
pub(crate) struct Intake {
    settings: Settings,
    gate: LiveGate,
    slowdown: Slowdown,
    budget: Budget,
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

/// An envelope in the form the queue takes.
struct Written {
    source: Source,
    shard_key: u64,
    lines: Vec<Line>,
}

impl Intake {
    pub(crate) fn new(
        settings: Settings,
        gate: LiveGate,
        publisher: Arc<dyn Publisher>,
        metrics: Metrics,
    ) -> Self {
        let budget = Budget::new(&settings.limits, metrics.bodies_bytes.clone());
        let callbacks = Callbacks::new(&settings.lark, settings.locale);
        Self { settings, gate, slowdown: Slowdown::default(), budget, metrics, publisher, callbacks }
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
        let outcome = match route(&parts.method, &parts.uri) {
            // Feishu comes from addresses of its own and proves itself in its own way.
            Ok(Route::Callback(address)) => {
                return self.answer_callback(address, &parts, body, origin.address).await;
            }
            _ if !gate.admits_origin(origin) => Err(Answer::AddressRefused.into()),
            Ok(Route::Alert(route)) => self.accept(&gate, route, &parts, &mut body).await,
            Err(answer) => Err(answer.into()),
        };
        let (Ok(AcceptOutcome { source, answer }) | Err(AcceptOutcome { source, answer })) = outcome;
        let client = origin.address;
        let form = answer.form();
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
                warn!(%client, source, code, status, error = %reason, "refused a request");
                if !answer.is_of_broken_body() && sends_on(&parts, &body) {
                    self.budget.discard(&mut body).await;
                }
                // What HTTP/2 has let the client send ahead need not wait with it.
                drop(body);
                if REFUSALS.contains(&code) {
                    self.metrics.refused(code);
                    self.slowdown.wait(client, self.settings.clock.now()).await;
                }
            }
        }
        form.into_response()
    }

    /// Answers one call of Feishu's and says so once, in the metrics and in the log.
    async fn answer_callback(
        &self,
        address: Address,
        parts: &Parts,
        mut body: Incoming,
        client: IpAddr,
    ) -> Response<Full<Bytes>> {
        let reply = self.take_callback(address, parts, &mut body).await;
        let code = reply.code();
        let path = parts.uri.path();
        self.metrics.called_back(address, code);
        if let Reply::Recorded { id, kind, .. } = &reply {
            info!(%client, interaction.id = %id, kind, "recorded an interaction");
        } else if let Some(complaint) = reply.complaint() {
            warn!(%client, path, code, error = %complaint, "nothing came of a callback");
        } else {
            debug!(%client, path, code, "answered a callback");
        }
        if !reply.is_of_broken_body() && sends_on(parts, &body) {
            self.budget.discard(&mut body).await;
        }
        reply.into_response(self.callbacks.locale)
    }

    async fn take_callback(&self, address: Address, parts: &Parts, body: &mut Incoming) -> Reply {
        // Before the body: a stranger cannot make us hold one where nobody could prove anything.
        if !self.callbacks.are_on() {
            return Reply::Off;
        }
        if encoding(&parts.headers) != Some(BodyEncoding::Plain) {
            return Reply::Refused(Answer::Compressed);
        }
        let (bytes, share) = match self.budget.read_within(body, CALLBACK_BYTES_MAX).await {
            Ok(read) => read,
            Err(cause) => return Reply::unread(cause, address),
        };
        let working = working(parts);
        let received_at = self.settings.clock.now();
        let id = InteractionId::new(received_at, runtime::entropy::random());
        let call = Call { headers: &parts.headers, body: &bytes, received_at, id };
        let reply = self.callbacks.take(&call, &*self.publisher).await;
        drop((share, working));
        reply
    }

    async fn accept(
        &self,
        gate: &Arc<Gate>,
        route: AlertRoute<'_>,
        parts: &Parts,
        body: &mut Incoming,
    ) -> Result<AcceptOutcome, AcceptOutcome> {
        let now = self.settings.clock.now();
        let AlertRoute { endpoint, receiver, origin, key } = route;
        let is_admitted = |key: Cow<'_, str>| gate.admits_key_in_url(&key, endpoint, receiver.as_deref());
        let standing = if key.is_some_and(is_admitted) {
            Standing::Proven
        } else {
            let checked = gate.check_credentials(&parts.headers, endpoint, receiver.as_deref(), now);
            checked.map_err(Answer::Unauthorized)?
        };
        let encoding = encoding(&parts.headers).ok_or(Answer::Compressed)?;
        let (bytes, share) = self.budget.read(body).await?;
        let working = working(parts);
        prove(Arc::clone(gate), standing, bytes.clone()).await?;
        let (bytes, share) = match encoding {
            BodyEncoding::Plain => (bytes, share),
            BodyEncoding::Gzip => self.budget.inflate(bytes, share).await?,
        };
        // Who has proven nothing is not told which receivers there are.
        if receiver.as_ref().is_some_and(|name| !self.settings.receivers.contains(&**name)) {
            return Err(Answer::NoSuchReceiver.into());
        }
        let received_at = self.settings.clock.now();
        let context = Context {
            id: EnvelopeId::new(received_at, runtime::entropy::random()),
            received_at,
            endpoint,
            timezone: self.settings.timezone.clone(),
            origin: origin.map(Cow::into_owned).unwrap_or_default(),
            ignore_labels: Arc::clone(&self.settings.ignore_labels),
            keep_labels: Arc::clone(&self.settings.keep_labels),
        };
        let id = context.id;
        let charset = charset(&parts.headers);
        let parser: Parser =
            if gate.accepts_text() && is_text(&parts.headers) { parse_or_text } else { parse };
        let receiver = receiver.map(Cow::into_owned);
        let gate = Arc::clone(gate);
        let written = beside(bytes.len(), move || {
            write(&text_in(&bytes, charset.as_deref()), &context, parser, receiver, &gate)
        })
        .await?;
        let source = written.source;
        let alerts = self.publish(written, &parts.headers).await?;
        drop((share, working));
        Ok(AcceptOutcome { source: Some(source), answer: Answer::Accepted { id, alerts, endpoint } })
    }

    async fn publish(&self, written: Written, headers: &HeaderMap) -> Result<usize, AcceptOutcome> {
        let Written { source, shard_key, lines } = written;
        let alerts = lines.iter().map(|line| line.alerts).sum();
        let traceparent = traceparent(headers);
        let message = |line: Line| Message {
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

/// Text → lines for the queue. Borrows from the body up to the point where the lines are written.
fn write(
    text: &str,
    context: &Context,
    parser: Parser,
    receiver: Option<String>,
    gate: &Gate,
) -> Result<Written, AcceptOutcome> {
    let parsed = parser(text, context)
        .map_err(|error| AcceptOutcome { source: error.source(), answer: Answer::NotUnderstood(error) })?;
    let mut envelope = parsed.envelope;
    let source = envelope.source;
    if parsed.sender.is_some_and(|sender| !gate.admits_sender(&sender)) {
        return Err(AcceptOutcome { source: Some(source), answer: Answer::SenderRefused });
    }
    if let Some(receiver) = receiver {
        envelope.receiver = receiver.into();
    }
    let lines = encode(&envelope).map_err(|fault| {
        error!(error = %fault, "an envelope could not be written");
        AcceptOutcome { source: Some(source), answer: Answer::Internal }
    })?;
    Ok(Written { source, shard_key: envelope.shard_key(), lines })
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
