//! Which credentials a path accepts. What is asked for belongs to the receiver that was named, however it was: a
//! rule for `/api/alert/ops` holds for `/api/alert?receiver=ops` as well, and for `/alert?receiver=ops`.

use std::collections::HashMap;

use shared::config::{Credential, GateConfig};

use crate::source::Door;

#[derive(Debug)]
pub(super) struct Rules {
    usual: Vec<Credential>,
    paths: HashMap<String, Vec<Credential>>,
}

impl Rules {
    pub(super) fn new(config: &GateConfig) -> Self {
        let kinds = [Credential::Bearer, Credential::Basic, Credential::Hmac];
        let usual = kinds.into_iter().filter(|kind| config.has(*kind)).collect();
        let paths = config.paths.iter().map(|rule| (rule.path.clone(), rule.accept.clone()));
        Self { usual, paths: paths.collect() }
    }

    /// What is accepted here, or `None` where nothing is asked for.
    pub(super) fn accepted(&self, door: Door, receiver: Option<&str>) -> Option<&[Credential]> {
        let named = receiver
            .filter(|_| !self.paths.is_empty())
            .and_then(|receiver| self.paths.get(&format!("/api/alert/{receiver}")));
        let rule = named.or_else(|| match door {
            Door::LokiFeishu => self.paths.get("/alert"),
            Door::Any => self.paths.get("/api/alert"),
        });
        let open = rule.is_none() && self.usual.is_empty();
        (!open).then(|| rule.unwrap_or(&self.usual).as_slice())
    }
}
