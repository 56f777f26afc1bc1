//! From a request to its page: what is asked of the backend for each, and what is done.

use hyper::{Method, StatusCode};
use jiff::Timestamp;
use maud::html;
use model::matcher::Query;
use runtime::telemetry::admin::PageAnswer;
use serde::Serialize;
use serde_json::json;

use crate::answer;
use crate::backend::{AuditQuery, BackendError};
use crate::console::{Asked, Console};
use crate::data::{
    ChosenLetters, DeadLetterAction, DeadLetterOrder, SilenceEnd, SilenceOrder, SilenceQuestion, TestOrder,
};
use crate::frame::{Frame, Sheet};
use crate::links::tests_path;
use crate::pages::{self, AlertsView, AuditView, DeadLettersView, FiringView, ReceiversView, TryView};
use crate::request::{AnswerFormat, Fields};
use crate::route::ConsoleRoute;
use crate::shared_sheets::SheetKey;

/// What is kept of a reason, in characters.
const REASON_CHARS_MAX: usize = 500;
/// Lines of the audit trail on one page.
const AUDIT_LINES: usize = 100;
/// Letters that can be chosen one by one.
const CHOSEN_MAX: usize = 1_000;

/// Why there is no page.
pub(crate) enum PageFault {
    /// There is no such thing.
    Missing,
    /// The backend says why.
    Backend(BackendError),
    /// Whoever asks may only look.
    Forbidden,
    /// The form was not one of ours.
    Foreign,
}

impl From<BackendError> for PageFault {
    fn from(error: BackendError) -> Self {
        Self::Backend(error)
    }
}

fn refused(sentence: impl Into<String>) -> PageFault {
    PageFault::Backend(BackendError::Refused(sentence.into()))
}

impl Console {
    /// The page, or what came of what was done.
    pub(crate) async fn page(&self, route: &ConsoleRoute, asked: &Asked<'_>) -> PageAnswer {
        let answered = match route {
            ConsoleRoute::Overview => self.overview(asked).await,
            ConsoleRoute::Receivers => self.receivers(asked).await,
            ConsoleRoute::TestReceiver(name) => self.test_receiver(asked, name).await,
            ConsoleRoute::ReceiverTests(name, envelopes) => self.receiver_tests(asked, name, envelopes).await,
            ConsoleRoute::Firing => self.firing(asked).await,
            ConsoleRoute::Alerts => self.alerts(asked).await,
            ConsoleRoute::Alert(identity) => self.alert(asked, identity).await,
            ConsoleRoute::Card(card) => self.card(asked, card).await,
            ConsoleRoute::Silences => self.silences(asked).await,
            ConsoleRoute::NewSilence if asked.request.method == Method::POST => self.silence(asked).await,
            ConsoleRoute::NewSilence => self.silence_plan(asked).await,
            ConsoleRoute::EndSilence => self.end_silence(asked).await,
            ConsoleRoute::Audit => self.audit(asked).await,
            ConsoleRoute::Try => self.try_it(asked).await,
            ConsoleRoute::DeadLetters => self.dead_letters(asked).await,
            ConsoleRoute::DeadLetter(id) => self.dead_letter(asked, *id).await,
            ConsoleRoute::Action(id) => self.action(asked, *id).await,
            ConsoleRoute::Replay => self.act(asked, DeadLetterAction::Replay).await,
            ConsoleRoute::Discard => self.act(asked, DeadLetterAction::Discard).await,
        };
        answered.unwrap_or_else(|fault| self.failed(asked, &fault))
    }

    async fn overview(&self, asked: &Asked<'_>) -> Result<PageAnswer, PageFault> {
        Ok(self.present(asked, &self.parts.reads.overview().await?, pages::overview))
    }

    async fn receivers(&self, asked: &Asked<'_>) -> Result<PageAnswer, PageFault> {
        let data = ReceiversView { receivers: self.parts.reads.receivers().await? };
        Ok(self.present(asked, &data, pages::receivers))
    }

    async fn receiver_tests(
        &self,
        asked: &Asked<'_>,
        receiver: &str,
        envelopes: &[String],
    ) -> Result<PageAnswer, PageFault> {
        let found = self.parts.reads.receiver_tests(receiver, envelopes).await?;
        Ok(self.present(asked, &found.ok_or(PageFault::Missing)?, pages::receiver_tests))
    }

    /// Sends a test, and leads to the page that says what becomes of it.
    async fn test_receiver(&self, asked: &Asked<'_>, receiver: &str) -> Result<PageAnswer, PageFault> {
        self.may_do(asked, &Fields::read(&asked.request.body))?;
        let order = TestOrder { who: asked.identity.name.clone(), receiver: receiver.to_owned() };
        let envelopes = self.parts.acts.test_receiver(order).await?;
        if asked.format == AnswerFormat::Json {
            return Ok(answer::json(StatusCode::ACCEPTED, &json!({ "envelopes": envelopes })));
        }
        Ok(answer::see_other(&format!("{}{}", self.parts.path_prefix, tests_path(receiver, &envelopes))))
    }

    async fn firing(&self, asked: &Asked<'_>) -> Result<PageAnswer, PageFault> {
        let query = query(&asked.query)?;
        let view = async || {
            let found = self.parts.reads.firing(&query).await?;
            Ok::<_, PageFault>(FiringView::of(&query, found))
        };
        if asked.format == AnswerFormat::Json {
            return Ok(answer::json(StatusCode::OK, &view().await?));
        }
        let frame = self.frame(asked);
        let make = async { Ok::<_, PageFault>(pages::firing(&frame, &view().await?)) };
        let asks = asked.request.uri.query().unwrap_or_default().to_owned();
        let key = SheetKey { query: asks, language: asked.language };
        let sheet = self.firing.get(key, make).await?;
        Ok(answer::html(StatusCode::OK, frame.around(&sheet)))
    }

    async fn alerts(&self, asked: &Asked<'_>) -> Result<PageAnswer, PageFault> {
        let query = query(&asked.query)?;
        let page = self.parts.reads.alerts(&query, asked.query.get("before")).await?;
        let data = AlertsView { query: query.to_string(), page };
        Ok(self.present(asked, &data, pages::alerts))
    }

    async fn alert(&self, asked: &Asked<'_>, identity: &str) -> Result<PageAnswer, PageFault> {
        let data = self.parts.reads.alert(identity).await?;
        Ok(self.present(asked, &data, pages::alert))
    }

    async fn card(&self, asked: &Asked<'_>, card: &str) -> Result<PageAnswer, PageFault> {
        let data = self.parts.reads.card(card).await?.ok_or(PageFault::Missing)?;
        if asked.format == AnswerFormat::Csv {
            return Ok(answer::csv(card, pages::card_csv(&data)));
        }
        Ok(self.present(asked, &data, pages::card))
    }

    async fn audit(&self, asked: &Asked<'_>) -> Result<PageAnswer, PageFault> {
        let who = asked.query.get("who");
        let action = asked.query.get("action");
        let before = asked.query.number("before");
        // One more than is shown, to know whether there are more.
        let wanted = AuditQuery { who, action, before, most: AUDIT_LINES + 1 };
        let mut actions = self.parts.reads.audit(wanted).await?;
        let has_more = actions.len() > AUDIT_LINES;
        actions.truncate(AUDIT_LINES);
        let before = actions.last().map(|last| last.id).filter(|_| has_more);
        let data =
            AuditView { who: who.map(str::to_owned), action: action.map(str::to_owned), actions, before };
        Ok(self.present(asked, &data, pages::audit))
    }

    /// Nothing is sent and nothing changed, so whoever may look may try. A long payload takes a while, in which neither alerts
    /// nor pages wait for it.
    async fn try_it(&self, asked: &Asked<'_>) -> Result<PageAnswer, PageFault> {
        let explains = self.parts.explains.clone().ok_or(PageFault::Missing)?;
        let form = Fields::read(&asked.request.body);
        let payload = form.get("payload").unwrap_or_default().to_owned();
        let receiver = form.get("receiver").map(str::to_owned);
        let mut view = TryView { payload, receiver, explained: None, refused: None };
        if !view.payload.is_empty() {
            let Ok(_place) = self.explaining.try_acquire() else { return Ok(answer::busy(asked.format)) };
            let payload = view.payload.clone();
            let receiver = view.receiver.clone();
            let explain = move || explains.explain(payload.as_bytes(), receiver.as_deref());
            let explained = tokio::task::spawn_blocking(explain).await;
            match explained.map_err(|_| refused("it could not be explained: the log has more"))? {
                Ok(explained) => view.explained = Some(explained),
                Err(why) => view.refused = Some(why),
            }
        }
        Ok(self.present(asked, &view, pages::try_it))
    }

    async fn silences(&self, asked: &Asked<'_>) -> Result<PageAnswer, PageFault> {
        Ok(self.present(asked, &self.parts.reads.silences().await?, pages::silences))
    }

    async fn silence_plan(&self, asked: &Asked<'_>) -> Result<PageAnswer, PageFault> {
        let text = |name| asked.query.get(name).map(str::to_owned);
        let question = SilenceQuestion {
            alertmanager: text("alertmanager"),
            matchers: text("matchers").unwrap_or_default(),
            length: text("length").unwrap_or_default(),
        };
        let plan = self.parts.reads.silence_plan(question).await?;
        Ok(self.present(asked, &plan, pages::silence_plan))
    }

    async fn silence(&self, asked: &Asked<'_>) -> Result<PageAnswer, PageFault> {
        let form = Fields::read(&asked.request.body);
        self.may_do(asked, &form)?;
        let text = |name| form.get(name).map(str::to_owned);
        let until = form.get("until").and_then(|until| until.parse::<Timestamp>().ok());
        let counted = form.number("count").and_then(|count| usize::try_from(count).ok());
        let (Some(alertmanager), Some(matchers), Some(until), Some(counted)) =
            (text("alertmanager"), text("matchers"), until, counted)
        else {
            return Err(refused(
                "in which Alertmanager (alertmanager), what (matchers), until when (until), and how many it was to hit (count)?",
            ));
        };
        let who = asked.identity.name.clone();
        let order = SilenceOrder { who, alertmanager, matchers, until, counted, reason: reason(&form)? };
        let id = self.parts.acts.silence(order).await?;
        if asked.format == AnswerFormat::Json {
            return Ok(answer::json(StatusCode::ACCEPTED, &json!({ "silence": id })));
        }
        Ok(answer::see_other(&format!("{}/silences", self.parts.path_prefix)))
    }

    async fn end_silence(&self, asked: &Asked<'_>) -> Result<PageAnswer, PageFault> {
        let form = Fields::read(&asked.request.body);
        self.may_do(asked, &form)?;
        let text = |name| form.get(name).map(str::to_owned);
        let (Some(alertmanager), Some(id)) = (text("alertmanager"), text("id")) else {
            return Err(refused("which silence (id), and in which Alertmanager (alertmanager)?"));
        };
        let end = SilenceEnd { who: asked.identity.name.clone(), alertmanager, id };
        self.parts.acts.end_silence(end).await?;
        if asked.format == AnswerFormat::Json {
            return Ok(answer::json(StatusCode::OK, &json!({})));
        }
        Ok(answer::see_other(&format!("{}/silences", self.parts.path_prefix)))
    }

    async fn dead_letters(&self, asked: &Asked<'_>) -> Result<PageAnswer, PageFault> {
        let query = query(&asked.query)?;
        let page = self.parts.reads.dead_letters(&query, asked.query.number("before")).await?;
        let data = DeadLettersView { query: query.to_string(), page };
        Ok(self.present(asked, &data, pages::dead_letters))
    }

    async fn dead_letter(&self, asked: &Asked<'_>, id: i64) -> Result<PageAnswer, PageFault> {
        let data = self.parts.reads.dead_letter(id).await?.ok_or(PageFault::Missing)?;
        Ok(self.present(asked, &data, pages::dead_letter))
    }

    async fn action(&self, asked: &Asked<'_>, id: i64) -> Result<PageAnswer, PageFault> {
        let data = self.parts.reads.action(id).await?.ok_or(PageFault::Missing)?;
        Ok(self.present(asked, &data, pages::action))
    }

    /// Whether whoever asks may do what a form is for, and sent it themselves.
    fn may_do(&self, asked: &Asked<'_>, form: &Fields) -> Result<(), PageFault> {
        if !asked.identity.may_act() {
            return Err(PageFault::Forbidden);
        }
        if !self.parts.access.is_own_form(asked.request, &asked.identity, form.get("token")) {
            return Err(PageFault::Foreign);
        }
        Ok(())
    }

    /// Does something to letters, and leads to the page where it goes on.
    async fn act(&self, asked: &Asked<'_>, action: DeadLetterAction) -> Result<PageAnswer, PageFault> {
        let form = Fields::read(&asked.request.body);
        self.may_do(asked, &form)?;
        let reason = reason(&form)?;
        let is_forced = action == DeadLetterAction::Replay && form.get("anyway").is_some();
        let order = DeadLetterOrder {
            who: asked.identity.name.clone(),
            action: if is_forced { DeadLetterAction::ReplayAnyway } else { action },
            chosen: chosen(&form)?,
            reason,
        };
        let id = self.parts.acts.act_on_dead_letters(order).await?;
        if asked.format == AnswerFormat::Json {
            return Ok(answer::json(StatusCode::ACCEPTED, &json!({ "action": id })));
        }
        Ok(answer::see_other(&format!("{}/actions/{id}", self.parts.path_prefix)))
    }

    /// The data as it is asked for.
    fn present<T: Serialize>(
        &self,
        asked: &Asked<'_>,
        data: &T,
        page: impl FnOnce(&Frame<'_>, &T) -> Sheet,
    ) -> PageAnswer {
        if asked.format == AnswerFormat::Json {
            return answer::json(StatusCode::OK, data);
        }
        let frame = self.frame(asked);
        answer::html(StatusCode::OK, frame.around(&page(&frame, data)))
    }

    fn failed(&self, asked: &Asked<'_>, fault: &PageFault) -> PageAnswer {
        let frame = self.frame(asked);
        let (status, code, sentence) = match fault {
            PageFault::Missing => (
                StatusCode::NOT_FOUND,
                "not_found",
                frame.say("There is no such thing, or it was forgotten since.", "不存在，或已过保留期被清除。").to_owned(),
            ),
            PageFault::Forbidden => (
                StatusCode::FORBIDDEN,
                "forbidden",
                frame.say("You may look, but not act.", "你只有查看权限，不能操作。").to_owned(),
            ),
            PageFault::Foreign => (
                StatusCode::FORBIDDEN,
                "foreign_form",
                frame.say("This form did not come from one of these pages: load the page anew.", "该表单并非来自本控制台的页面：请刷新页面后重试。").to_owned(),
            ),
            PageFault::Backend(error @ BackendError::Unavailable(_)) => {
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable", error.to_string())
            }
            PageFault::Backend(error @ BackendError::Refused(_)) => {
                (StatusCode::BAD_REQUEST, "refused", error.to_string())
            }
            PageFault::Backend(BackendError::Changed(now)) => (
                StatusCode::CONFLICT,
                "changed",
                format!(
                    "{}{}",
                    frame.say("Nothing was done: meanwhile another number matches. Go back and look again. Now there are: ",
                        "未执行：匹配的数量已变化，请返回重新查看。当前数量："),
                    now
                ),
            ),
        };
        if asked.format != AnswerFormat::Html {
            return answer::json(status, &json!({ "error": sentence, "code": code }));
        }
        let title = frame.say("It cannot be done", "无法完成").to_owned();
        let lists = ["/dead-letters", "/silences", "/receivers"];
        let back = frame.to(lists.into_iter().find(|list| asked.path.starts_with(list)).unwrap_or("/"));
        let body = html! {
            h1 { (title) }
            p.state.bad role="alert" { (sentence) }
            p { a.button href=(back) { (frame.say("Back", "返回")) } }
        };
        let sheet = Sheet { title: title.clone(), section: None, refreshed_s: None, body };
        answer::html(status, frame.around(&sheet))
    }
}

/// Why somebody does something.
fn reason(form: &Fields) -> Result<String, PageFault> {
    let reason = form.get("reason").map(str::trim).filter(|reason| !reason.is_empty());
    let reason = reason.ok_or_else(|| refused("a reason is needed: it is kept in the audit trail"))?;
    Ok(reason.chars().take(REASON_CHARS_MAX).collect())
}

/// The filter of an address or a form.
fn query(fields: &Fields) -> Result<Query, PageFault> {
    Query::read(fields.get("q").unwrap_or_default()).map_err(|error| refused(error.to_string()))
}

/// Which letters a form means.
fn chosen(form: &Fields) -> Result<ChosenLetters, PageFault> {
    if form.get("all").is_some() {
        let until = form.get("until").and_then(|until| until.parse::<Timestamp>().ok());
        let counted = form.number("count").and_then(|count| usize::try_from(count).ok());
        let (Some(until), Some(counted)) = (until, counted) else {
            return Err(refused(
                "all of them: until when they failed (until), and how many there were (count)?",
            ));
        };
        return Ok(ChosenLetters::Matching { query: query(form)?, until, counted });
    }
    let ids: Vec<i64> = form.all("id").filter_map(|id| id.parse().ok()).collect();
    if ids.is_empty() || ids.len() > CHOSEN_MAX {
        return Err(refused(format!("choose letters, up to {CHOSEN_MAX}")));
    }
    Ok(ChosenLetters::Ids(ids))
}
