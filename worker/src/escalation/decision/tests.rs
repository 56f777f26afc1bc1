//! Steps in their order, failures, quiet hours.

use config::StepMethod;
use jiff::civil::time;
use proptest::prelude::*;

use super::*;

fn steps(afters_s: &[u64]) -> Vec<EscalationStep> {
    let step = |after_s: &u64| EscalationStep {
        after: Duration::from_secs(*after_s),
        who: Vec::new(),
        method: StepMethod::Mention,
        quiet_hours: None,
    };
    afters_s.iter().map(step).collect()
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn progress(step: usize) -> EscalationProgress {
    EscalationProgress { begun_at: second(1_000), step, attempts: 0, is_critical: false }
}

#[test]
fn a_step_that_called_somebody_gives_them_the_time_until_the_next() {
    let steps = steps(&[300, 600]);
    let next = |now| after_call(&steps, &progress(0), CallResult::Made, 0.5, second(now));
    let after = Duration::from_mins(10);
    assert_eq!(next(1_300), NextStep::Step { number: 1, after, not_before: second(1_600) });
    assert_eq!(
        next(9_000),
        NextStep::Step { number: 1, after, not_before: second(9_300) },
        "an hour late, it is not overtaken"
    );
}

#[test]
fn a_refused_step_falls_through_at_once_and_after_the_last_there_is_nothing() {
    let steps = steps(&[300, 600]);
    let refused = |step| after_call(&steps, &progress(step), CallResult::Refused, 0.5, second(1_300));
    assert_eq!(refused(0), NextStep::Step { number: 1, after: Duration::ZERO, not_before: second(1_300) });
    assert_eq!(refused(1), NextStep::Over);
    assert_eq!(after_call(&steps, &progress(1), CallResult::Made, 0.5, second(1_600)), NextStep::Over);
    assert_eq!(decide(&steps, &progress(2), &TimeZone::UTC, second(2_000)), StepDecision::Finished);
}

#[test]
fn what_may_pass_is_tried_again_and_the_last_step_for_a_day() {
    let steps = steps(&[300, 600]);
    let failed = |step, attempts, now| {
        let progress = EscalationProgress { attempts, ..progress(step) };
        after_call(&steps, &progress, CallResult::NotNow { hint: None }, 1.0, second(now))
    };
    assert_eq!(failed(0, 0, 1_300), NextStep::Again(second(1_302)));
    assert_eq!(failed(0, 3, 1_300), NextStep::Again(second(1_316)));
    assert!(matches!(failed(0, 4, 1_300), NextStep::Step { number: 1, .. }), "the next has a better chance");
    assert_eq!(failed(1, 100, 1_700), NextStep::Again(second(2_000)));
    assert_eq!(failed(1, 100, 1_600 + 86_401), NextStep::Over);
    let hinted = CallResult::NotNow { hint: Some(Duration::from_secs(90)) };
    assert_eq!(after_call(&steps, &progress(0), hinted, 0.0, second(0)), NextStep::Again(second(90)));
}

#[test]
fn quiet_hours_put_off_what_is_not_critical_also_over_midnight() {
    let zone = TimeZone::get("Asia/Shanghai").unwrap();
    let mut steps = steps(&[300]);
    steps[0].quiet_hours = Some(QuietHours { from: time(22, 0, 0, 0), until: time(8, 0, 0, 0) });
    let at = |text: &str, is_critical| {
        let progress = EscalationProgress { is_critical, ..progress(0) };
        decide(&steps, &progress, &zone, text.parse().unwrap())
    };
    let morning = |text: &str| StepDecision::Postpone(text.parse().unwrap());
    assert_eq!(at("2024-01-15T21:59:59+08:00", false), StepDecision::Call);
    assert_eq!(at("2024-01-15T22:00:00+08:00", false), morning("2024-01-16T08:00:00+08:00"));
    assert_eq!(at("2024-01-16T07:59:59+08:00", false), morning("2024-01-16T08:00:00+08:00"));
    assert_eq!(at("2024-01-16T08:00:00+08:00", false), StepDecision::Call);
    assert_eq!(at("2024-01-16T03:00:00+08:00", true), StepDecision::Call, "it is critical");
}

#[test]
fn quiet_hours_end_at_their_hour_when_the_clocks_change() {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let hours = QuietHours { from: time(22, 0, 0, 0), until: time(7, 0, 0, 0) };
    let end = |text: &str| end_of(hours, &zone, text.parse().unwrap()).unwrap().to_string();
    assert_eq!(end("2024-03-30T23:00:00+01:00"), "2024-03-31T05:00:00Z");
    assert_eq!(end("2024-10-26T23:00:00+02:00"), "2024-10-27T06:00:00Z");
}

proptest! {
    /// Whatever fails in whatever order, an escalation only goes forwards, and comes to its end.
    #[test]
    fn an_escalation_ends(
        afters in proptest::collection::btree_set(1_u64..100_000, 1..20),
        results in proptest::collection::vec((0_u8..3, 0.0..=1.0_f64, 0_u64..1_000), 2_000),
    ) {
        let afters: Vec<u64> = afters.into_iter().collect();
        let steps = steps(&afters);
        let mut progress = progress(0);
        let mut now = second(1_000 + i64::try_from(afters[0]).unwrap());
        let mut is_over = false;
        for (result, roll, hint) in results {
            let result = match result {
                0 => CallResult::Made,
                1 => CallResult::Refused,
                _ => CallResult::NotNow { hint: Some(Duration::from_secs(hint)) },
            };
            match after_call(&steps, &progress, result, roll, now) {
                NextStep::Again(at) => {
                    prop_assert!(at > now);
                    progress.attempts += 1;
                    now = at;
                }
                NextStep::Step { number, after, not_before } => {
                    prop_assert_eq!(number, progress.step + 1);
                    prop_assert!(not_before >= now && number < steps.len());
                    now = not_before.max(later(progress.begun_at, after));
                    progress = EscalationProgress { step: number, attempts: 0, ..progress };
                }
                NextStep::Over => {
                    prop_assert_eq!(progress.step, steps.len() - 1);
                    is_over = true;
                    break;
                }
            }
        }
        prop_assert!(is_over);
    }
}
