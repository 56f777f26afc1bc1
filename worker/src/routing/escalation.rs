//! Which escalation the routes name for an alert. Pure.

use model::alert::Labels;

use super::{Route, Router};

impl Router {
    /// The escalation of the first route that takes an alert with these labels to this receiver; `None` where that says
    /// nothing, or none does.
    pub fn escalation_of(&self, labels: &Labels<'_>, receiver: &str) -> Option<&str> {
        self.routed(&self.routes.routes, labels, receiver).escalation
    }

    /// What these routes make of it.
    fn routed<'r>(&'r self, routes: &'r [Route], labels: &Labels<'_>, receiver: &str) -> Routed<'r> {
        let mut made = Routed::default();
        for route in routes {
            if !route.matchers.iter().all(|matcher| matcher.matches(labels)) {
                continue;
            }
            made.is_taken = true;
            let below = self.routed(&route.routes.routes, labels, receiver);
            if below.is_taken {
                made.escalation = made.escalation.or(below.escalation);
            } else {
                let places = if route.receivers.is_empty() { &self.default } else { &route.receivers };
                let leads_there =
                    places.iter().any(|place| self.names.get(*place).is_some_and(|name| name == receiver));
                let own = route.escalation.as_deref().filter(|_| leads_there);
                made.escalation = made.escalation.or(own);
            }
            if !route.continues {
                break;
            }
        }
        made
    }
}

/// What routes beside each other make of an alert.
#[derive(Default)]
struct Routed<'r> {
    is_taken: bool,
    escalation: Option<&'r str>,
}
