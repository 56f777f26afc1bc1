//! Which credentials a path accepts. What is asked for belongs to the receiver that was named, however it was: a
//! rule for `/api/alert/ops` holds for `/api/alert?receiver=ops` as well.

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
        let rule = match (door, receiver) {
            (Door::LokiFeishu, _) => self.paths.get("/alert"),
            (Door::Any, Some(receiver)) if !self.paths.is_empty() => {
                let named = self.paths.get(&format!("/api/alert/{receiver}"));
                named.or_else(|| self.paths.get("/api/alert"))
            }
            (Door::Any, _) => self.paths.get("/api/alert"),
        };
        let open = rule.is_none() && self.usual.is_empty();
        (!open).then(|| rule.unwrap_or(&self.usual).as_slice())
    }
}
