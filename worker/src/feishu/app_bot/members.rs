//! Who is in a chat.

use std::collections::BTreeSet;

use jiff::Timestamp;
use reqwest::Method;
use serde::Deserialize;

use super::{ApiCall, AppBot, unreadable};
use crate::feishu::verdict::Verdict;

/// Pages of 100 that are asked for: Feishu's largest groups have 50 000 people, and whoever is behind these is not found.
const PAGES_MAX: usize = 100;

#[derive(Deserialize)]
struct MembersAnswer {
    data: MembersPage,
}

#[derive(Deserialize)]
struct MembersPage {
    #[serde(default)]
    items: Vec<PersonInChat>,
    #[serde(default)]
    has_more: bool,
    #[serde(default)]
    page_token: String,
}

#[derive(Deserialize)]
struct PersonInChat {
    member_id: String,
}

impl AppBot {
    /// The `open_id`s of the people in a chat that the bot is in.
    pub async fn members(&self, chat_id: &str, now: Timestamp) -> Result<BTreeSet<String>, Verdict> {
        let path = ["im", "v1", "chats", chat_id, "members"];
        let mut members = BTreeSet::new();
        let mut page_token = String::new();
        for _ in 0..PAGES_MAX {
            let mut query = vec![("member_id_type", "open_id"), ("page_size", "100")];
            if !page_token.is_empty() {
                query.push(("page_token", &page_token));
            }
            let call = ApiCall { query: &query, ..ApiCall::new(Method::GET, &path, Vec::new()) };
            let answer = self.call(&call, now).await?;
            let MembersAnswer { data } =
                serde_json::from_slice(&answer).map_err(|_| unreadable("members"))?;
            members.extend(data.items.into_iter().map(|member| member.member_id));
            if !data.has_more || data.page_token.is_empty() {
                break;
            }
            page_token = data.page_token;
        }
        Ok(members)
    }
}
