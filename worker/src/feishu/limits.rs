//! How much Feishu takes, and for how long it knows what it took: its limits, the codes that say which of them was
//! overdrawn, and the budgets that keep calls below them.

use std::time::Duration;

use config::{Secret, Urgency};
use reqwest::Url;
use sha2::{Digest, Sha256};

use super::verdict::Trouble;
use crate::budget::Limits;

/// What a custom bot may send (reference "Feishu", 1.6); what a receiver has without settings of its own.
pub(crate) const BOT_LIMITS: Limits = Limits { per_minute: 100, per_second: 5 };
/// What one chat takes from all bots in it (reference "Feishu", 4.3). Nothing is said about its minute, so that is as
/// much as the seconds in it.
const CHAT_LIMITS: Limits = Limits { per_minute: 300, per_second: 5 };
/// What Feishu takes from one app with one kind of call (reference "Feishu", 4.3).
const APP_LIMITS: Limits = Limits { per_minute: 1_000, per_second: 50 };
/// What the gateway answers to too many calls of an app (reference "Feishu", 4.8).
const GATEWAY_LIMIT: i64 = 99_991_400;
/// What a group's limit is called where bots of it are refused (reference "Feishu", 1.5): it is that of all bots in it.
const GROUP_LIMIT: i64 = 11_233;
/// The shortest pause after a "slow down" that names no time (reference "Feishu", 1.6).
pub(crate) const SLOW_DOWN_PAUSE: Duration = Duration::from_secs(1);

/// Feishu's limit for the whole body of a request, in bytes. The documents name 20 KB and 30 KB in different places
/// (reference "Feishu", 1.6); the smallest holds.
pub const BODY_BYTES_MAX: usize = 20_000;
/// What is around the card in a signed body: `{"timestamp":…,"sign":…,"msg_type":"interactive","card":…}` with ten
/// digits of time and 44 characters of base64. A test counts it.
pub(super) const AROUND_CARD_BYTES: usize = 113;
/// How large a card may be, so that its request stays within the limit.
pub const CARD_BYTES_MAX: usize = BODY_BYTES_MAX - AROUND_CARD_BYTES;

/// How long Feishu lets a card be updated: 14 days (reference "Feishu", 4.5), less what clocks may differ.
pub(crate) const UPDATABLE: Duration = Duration::from_hours(14 * 24 - 1);
/// How long a button may be pressed: as long as Feishu lets its card be updated (reference "Feishu", 4.5).
pub(crate) const PRESSABLE: Duration = Duration::from_hours(14 * 24);
/// Nobody updates a card again before this, so that it is not updated more than 5 times a second (reference "Feishu",
/// 4.5).
pub(crate) const UPDATE_SPACING: Duration = Duration::from_millis(250);
/// How long Feishu knows a message by its `uuid`: an hour (reference "Feishu", 4.2), less what a request and different
/// clocks may take. What was begun longer ago and never finished is delivered anew.
pub(crate) const ONCE_WITHIN: Duration = Duration::from_mins(50);

/// How much of a hash tells bots apart; names of budgets have 64 bytes.
const BOT_HASH_DIGITS: usize = 40;

/// A budget that a call takes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallBudget {
    /// What the fleet knows it by.
    pub name: String,
    /// What it has.
    pub limits: Limits,
    whose: BudgetOwner,
}

/// Who shares a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BudgetOwner {
    /// Everything that goes to one place: through one bot, or into one chat.
    Destination,
    /// All bots of one group.
    Group,
    /// All calls of one kind that an app makes.
    App,
}

/// The kinds of an app's calls; each has limits of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AppCall {
    /// A message into a chat.
    Send,
    /// A reply to a message.
    Reply,
    /// Another card in a message.
    Update,
    /// A picture for cards.
    Upload,
    /// An urgent push.
    Urgent(Urgency),
}

impl AppCall {
    /// What the budget is called; the same in every version of a fleet.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Reply => "reply",
            Self::Update => "update",
            Self::Upload => "upload",
            Self::Urgent(urgency) => urgency.as_str(),
        }
    }
}

impl CallBudget {
    /// That of the bot behind a webhook: a bot has one, however many receivers send through it.
    pub(crate) fn of_bot(webhook_url: &Secret, limits: Limits) -> Self {
        Self { name: bot_budget(webhook_url), limits, whose: BudgetOwner::Destination }
    }

    /// That of several bots in one group, which together are a receiver of this name.
    pub(crate) fn of_group(receiver: &str, limits: Limits) -> Self {
        Self { name: receiver.to_owned(), limits, whose: BudgetOwner::Group }
    }

    /// That of the preview.
    pub(crate) fn of_preview(name: &str) -> Self {
        // It folds as a bot would, so that one sees what a storm looks like.
        Self { name: name.to_owned(), limits: BOT_LIMITS, whose: BudgetOwner::Destination }
    }

    /// That of a chat, whichever receivers are in it. No receiver's name has a slash.
    pub(crate) fn of_chat(chat_id: &str, limits: Limits) -> Self {
        Self { name: format!("chat/{chat_id}"), limits, whose: BudgetOwner::Destination }
    }

    /// That of a chat for which nothing is configured.
    pub(crate) fn of_other_chat(chat_id: &str) -> Self {
        Self::of_chat(chat_id, CHAT_LIMITS)
    }

    /// That of one kind of call of an app.
    pub(crate) fn of_app(app_id: &str, call: AppCall) -> Self {
        let name = format!("app/{app_id}/{}", call.as_str());
        Self { name, limits: APP_LIMITS, whose: BudgetOwner::App }
    }
}

/// The budget's name of the bot behind a webhook. The URL is a credential, so only its hash goes into the database; no
/// receiver's name has a slash.
pub fn bot_budget(webhook_url: &Secret) -> String {
    // As a parser writes it: letters of the host in any case, and a port that goes without saying, are the same bot.
    let url = Url::parse(webhook_url.expose()).map_or_else(|_| webhook_url.expose().to_owned(), String::from);
    format!("bot/{}", &hex::encode(Sha256::digest(url.trim_end_matches('/')))[..BOT_HASH_DIGITS])
}

/// Whether a "slow down" is for all bots of the group, and not only for the one that sent.
pub(crate) fn is_of_group(trouble: &Trouble) -> bool {
    trouble.code == Some(GROUP_LIMIT)
}

/// Which of the budgets a call has taken from was overdrawn, by what Feishu said about it; none if it was one that the
/// call does not know.
pub(super) fn overdrawn<'b>(budgets: &'b [CallBudget], trouble: &Trouble) -> Option<&'b CallBudget> {
    let of = |whose| budgets.iter().find(|budget| budget.whose == whose);
    let named = match trouble.code {
        // The gateway counts an app's calls, whatever chat they go to.
        Some(GATEWAY_LIMIT) => of(BudgetOwner::App),
        Some(GROUP_LIMIT) => of(BudgetOwner::Group),
        _ => None,
    };
    named.or_else(|| of(BudgetOwner::Destination))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bot_has_one_budget_whoever_sends_through_it_and_its_webhook_is_not_in_the_name() {
        let budget = |url: &str| bot_budget(&Secret::new(url));
        let bot = budget("https://open.feishu.cn/open-apis/bot/v2/hook/0a1b");
        for same in [
            "https://open.feishu.cn:443/open-apis/bot/v2/hook/0a1b",
            "https://OPEN.feishu.cn/open-apis/bot/v2/hook/0a1b/",
        ] {
            assert_eq!(budget(same), bot);
        }
        assert_ne!(budget("https://open.feishu.cn/open-apis/bot/v2/hook/0A1B"), bot, "another token");
        assert!(bot.len() <= 64 && !bot.contains("0a1b") && !bot.contains("feishu"), "{bot}");
    }

    #[test]
    fn the_code_says_whose_budget_was_overdrawn() {
        let bot = CallBudget::of_bot(&Secret::new("https://feishu.example/hook/a"), BOT_LIMITS);
        let group = CallBudget::of_group("ops", BOT_LIMITS);
        let chat = CallBudget::of_other_chat("oc_1");
        let app = CallBudget::of_app("cli_1", AppCall::Reply);
        let of = |budgets: &[&CallBudget], code| {
            let budgets: Vec<_> = budgets.iter().map(|budget| (*budget).clone()).collect();
            let trouble = Trouble { code, ..Trouble::default() };
            overdrawn(&budgets, &trouble).map(|budget| budget.name.clone())
        };
        let named = |budget: &CallBudget| Some(budget.name.clone());
        for code in [None, Some(11232), Some(230_020)] {
            assert_eq!(of(&[&bot, &group], code), named(&bot), "{code:?}");
            assert_eq!(of(&[&chat, &app], code), named(&chat), "{code:?}");
            assert_eq!(of(&[&app], code), None, "{code:?}: the message's, perhaps, which has no budget");
        }
        assert_eq!(of(&[&bot, &group], Some(GROUP_LIMIT)), named(&group));
        assert_eq!(
            of(&[&bot], Some(GROUP_LIMIT)),
            named(&bot),
            "it is alone in the group, as far as we know"
        );
        assert_eq!(of(&[&chat, &app], Some(GATEWAY_LIMIT)), named(&app));
        assert_eq!(of(&[&app], Some(GATEWAY_LIMIT)), named(&app));
        assert_eq!(
            of(&[&bot, &group], Some(GATEWAY_LIMIT)),
            named(&bot),
            "a webhook belongs to no app of ours"
        );
    }
}
