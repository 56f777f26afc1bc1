//! What an escalation comes to next: whether its step calls somebody now, and when the next one does. Pure.

use std::time::Duration;

use config::{EscalationStep, QuietHours};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Attempts at a step that another one follows: then that is the better chance.
const ATTEMPTS_MAX: u32 = 5;
/// How long the last step is tried: nothing comes after it.
const LAST_TRIED_FOR: SignedDuration = SignedDuration::from_hours(24);
/// The pause after the first failure, which doubles, and the longest.
const PAUSE: Duration = Duration::from_secs(2);
const PAUSE_MAX: Duration = Duration::from_mins(5);
/// Doublings after which a pause is the longest in any case.
const DOUBLINGS_MAX: u32 = 10;

/// How far an escalation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EscalationProgress {
    /// When its card was delivered.
    pub begun_at: Timestamp,
    /// The step that comes next, counted from 0.
    pub step: usize,
    /// Attempts at that which failed.
    pub attempts: u32,
    /// Whether something critical fires.
    pub is_critical: bool,
}

/// What is to be done about a step that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepDecision {
    /// It calls somebody.
    Call,
    /// Its hours are quiet until then.
    Postpone(Timestamp),
    /// There is no such step any more.
    Finished,
}

/// What came of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallResult {
    /// Somebody was called.
    Made,
    /// Nobody was, and nobody will be by this step.
    Refused,
    /// Nobody was, and that may pass.
    NotNow {
        /// The shortest pause that makes sense, where that is known.
        hint: Option<Duration>,
    },
}

/// What comes after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// The same step again, then.
    Again(Timestamp),
    /// The step of this number.
    Step {
        /// Counted from 0.
        number: usize,
        /// How long after its card an escalation comes to it.
        after: Duration,
        /// The soonest for any of them: whoever was called late is not overtaken.
        not_before: Timestamp,
    },
    /// Nothing.
    Over,
}

/// What is to be done about an escalation that is due; `zone` is whose clock quiet hours go by.
pub fn decide(
    steps: &[EscalationStep],
    progress: &EscalationProgress,
    zone: &TimeZone,
    now: Timestamp,
) -> StepDecision {
    let Some(step) = steps.get(progress.step) else { return StepDecision::Finished };
    let quiet_until = step.quiet_hours.filter(|_| !progress.is_critical);
    match quiet_until.and_then(|hours| end_of(hours, zone, now)) {
        Some(until) => StepDecision::Postpone(until),
        None => StepDecision::Call,
    }
}

/// What comes after a call of this step, of which so many attempts failed before. `roll` is chance, from 0 to 1.
pub fn after_call(
    steps: &[EscalationStep],
    progress: &EscalationProgress,
    result: CallResult,
    roll: f64,
    now: Timestamp,
) -> NextStep {
    let number = progress.step.saturating_add(1);
    let next = steps.get(number);
    let due = later(progress.begun_at, steps.get(progress.step).map_or(Duration::ZERO, |step| step.after));
    let gap = match (steps.get(progress.step), next) {
        (Some(step), Some(next)) => next.after.saturating_sub(step.after),
        (None, _) | (_, None) => Duration::ZERO,
    };
    let onwards =
        |pause: Duration, after: Duration| NextStep::Step { number, after, not_before: later(now, pause) };
    match (result, next) {
        (CallResult::Made, Some(next)) => onwards(gap, next.after),
        // At once: nobody was called.
        (CallResult::Refused, Some(_)) => onwards(Duration::ZERO, Duration::ZERO),
        (CallResult::Made | CallResult::Refused, None) => NextStep::Over,
        (CallResult::NotNow { .. }, Some(_)) if progress.attempts + 1 >= ATTEMPTS_MAX => {
            onwards(Duration::ZERO, Duration::ZERO)
        }
        (CallResult::NotNow { .. }, None) if now.duration_since(due) > LAST_TRIED_FOR => NextStep::Over,
        (CallResult::NotNow { hint }, _) => NextStep::Again(later(now, pause(progress.attempts, hint, roll))),
    }
}

fn pause(attempts: u32, hint: Option<Duration>, roll: f64) -> Duration {
    let doubled = PAUSE.saturating_mul(2_u32.saturating_pow(attempts.min(DOUBLINGS_MAX)));
    let spread = doubled.mul_f64(0.5 + roll.clamp(0.0, 1.0) / 2.0);
    spread.max(hint.unwrap_or_default()).min(PAUSE_MAX)
}

fn later(now: Timestamp, pause: Duration) -> Timestamp {
    now.saturating_add(SignedDuration::try_from(pause).unwrap_or(SignedDuration::MAX))
        .unwrap_or(Timestamp::MAX)
}

/// When quiet hours end that are now; `None` if they are not.
fn end_of(hours: QuietHours, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let QuietHours { from, until } = hours;
    let local = now.to_zoned(zone.clone());
    let time = local.time();
    let is_quiet = if from < until { (from..until).contains(&time) } else { time >= from || time < until };
    if !is_quiet {
        return None;
    }
    let day = if time < until { Ok(local.date()) } else { local.date().tomorrow() };
    let end = day.ok()?.to_datetime(until).to_zoned(zone.clone()).ok()?.timestamp();
    // An hour that the clocks show twice may have ended already.
    (end > now).then_some(end)
}

#[cfg(test)]
mod tests;
