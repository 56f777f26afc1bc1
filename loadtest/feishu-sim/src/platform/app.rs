//! One app at the gateway: its tokens, how often it calls what, and what goes wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::token::{self, Tokens};
use super::{ApiRequest, Stop};
use crate::call::Call;
use crate::fault::{Fault, FaultQueue, Lasting};
use crate::refusal::Refusal;
use crate::settings::AppSettings;
use crate::window::Window;

pub(super) struct App {
    pub(super) settings: AppSettings,
    pub(super) tokens: Tokens,
    /// The keys of the images it has uploaded: no other app's cards can show them.
    pub(super) images: BTreeSet<String>,
    windows: BTreeMap<Call, Window>,
    faults: BTreeMap<Call, FaultQueue>,
}

impl App {
    pub(super) fn new(settings: AppSettings) -> Self {
        let tokens = Tokens::new(&settings.app_id);
        let images = BTreeSet::new();
        Self { settings, tokens, images, windows: BTreeMap::new(), faults: BTreeMap::new() }
    }

    pub(super) fn script(&mut self, call: Call, fault: Fault, lasting: Lasting, now: Timestamp) {
        self.faults.entry(call).or_default().push(fault, lasting, now);
    }

    pub(super) fn clear_faults(&mut self) {
        self.faults.clear();
    }

    pub(super) fn next_fault(&mut self, call: Call, now: Timestamp) -> Option<Fault> {
        self.faults.get_mut(&call)?.next(now)
    }

    /// Lets a call through the gateway. Says whether it exceeded limits that are not enforced.
    pub(super) fn admit(&mut self, request: &ApiRequest, now: Timestamp) -> Result<bool, Stop> {
        let token = request.authorization.as_deref().and_then(|value| value.strip_prefix("Bearer "));
        if !token.is_some_and(|token| self.tokens.is_valid(token, now)) {
            return Err(token::invalid().into());
        }
        if !self.settings.enabled {
            return Err(Refusal::new(99_991_662, "the app is disabled").into());
        }
        let limits = &self.settings.limits;
        let window = self.windows.entry(request.call).or_default();
        let over_budget = !window.admits(limits, now);
        if over_budget && limits.enforced {
            return Err(Stop::TooOften { reset_seconds: window.wait_seconds(limits, now).max(1) });
        }
        // What the service refuses was still a call to the gateway that counts them.
        window.note(limits, now);
        Ok(over_budget)
    }
}
