//! Which request has which alerts, when it is due and to whom it goes: a function of its number. Pure.

use std::time::Duration;

use crate::scenario::Profile;

/// Repeats of an alert come this many other alerts apart, as from a pair of Alertmanagers that are not quite in step.
const REPEATED_TOGETHER: u32 = 100;
/// How many different services the alerts are about: as many groups.
pub(crate) const SERVICES: u32 = 16;

/// The requests of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) requests: u32,
    gap: Duration,
    pub(crate) alerts_per_request: u32,
    sends_each: u32,
    receivers: u32,
    first: u32,
}

impl Plan {
    pub(crate) fn of(profile: &Profile) -> Self {
        let sending = profile.sending;
        Self {
            requests: sending.requests,
            gap: Duration::from_secs_f64(1.0 / sending.requests_per_second),
            alerts_per_request: sending.alerts_per_request,
            sends_each: sending.sends_each,
            receivers: profile.feishu.receivers,
            first: 0,
        }
    }

    /// Alerts to one receiver, each sent once.
    pub(crate) const fn once(requests: u32, gap: Duration, alerts_per_request: u32) -> Self {
        Self { requests, gap, alerts_per_request, sends_each: 1, receivers: 1, first: 0 }
    }

    /// The same requests, with alerts that are numbered from here on.
    pub(crate) const fn from(self, first: u32) -> Self {
        Self { first, ..self }
    }

    /// When a request is due, counted from the first.
    pub(crate) fn due(&self, request: u32) -> Duration {
        self.gap * request
    }

    pub(crate) const fn receiver(&self, request: u32) -> u32 {
        request % self.receivers
    }

    pub(crate) const fn service(&self, request: u32) -> u32 {
        // By its first alert, so that an alert has the same labels each time it is sent.
        self.alert(request * self.alerts_per_request) / self.alerts_per_request / self.receivers % SERVICES
    }

    /// The numbers of the alerts in a request; the same number is the same alert.
    pub(crate) fn alerts(self, request: u32) -> impl Iterator<Item = u32> {
        let first = request * self.alerts_per_request;
        (first..first + self.alerts_per_request).map(move |send| self.alert(send))
    }

    const fn alert(&self, send: u32) -> u32 {
        if self.sends_each == 1 {
            return self.first + send;
        }
        let together = REPEATED_TOGETHER * self.sends_each;
        self.first + send / together * REPEATED_TOGETHER + send % together % REPEATED_TOGETHER
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn plan(requests: u32, sends_each: u32) -> Plan {
        Plan {
            requests,
            gap: Duration::from_millis(10),
            alerts_per_request: 5,
            sends_each,
            receivers: 3,
            first: 0,
        }
    }

    #[test]
    fn each_alert_is_sent_as_often_as_was_asked_for() {
        let plan = plan(1_000, 20);
        let mut sends = BTreeMap::<u32, u32>::new();
        (0..plan.requests)
            .flat_map(|request| plan.alerts(request))
            .for_each(|alert| *sends.entry(alert).or_default() += 1);
        // 5 000 sends are two and a half times 100 alerts sent 20 times each.
        assert_eq!((sends.len(), sends[&0], sends[&199], sends[&250]), (300, 20, 20, 10));
    }

    #[test]
    fn without_repeats_every_alert_is_a_new_one() {
        let plan = plan(30, 1);
        assert_eq!(plan.alerts(2).collect::<Vec<_>>(), [10, 11, 12, 13, 14]);
        assert_eq!((plan.receiver(4), plan.due(3)), (1, Duration::from_millis(30)));
    }
}
