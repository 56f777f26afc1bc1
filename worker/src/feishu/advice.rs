//! What an operator has to do about a receiver that refuses everything. Pure.

/// In a sentence, by Feishu's code.
pub(crate) const fn advice(code: Option<i64>) -> &'static str {
    match code {
        Some(19001) => {
            "the webhook URL is wrong, or the bot was removed: set the receiver's webhook_url anew"
        }
        Some(19007) => {
            "the bot is switched off: enable it in the group's settings, or set webhook_url to another bot"
        }
        Some(19021) => "the signing secret is wrong, or this machine's clock is off by an hour",
        Some(19022) => "this machine's address is missing in the bot's IP allowlist",
        Some(19024) => {
            "the bot insists on a keyword: remove it from the bot's settings, or use a signature instead"
        }
        Some(99_991_401) => "this machine's address is missing in the app's IP allowlist",
        Some(11213 | 11231 | 11237) => {
            "the group is gone: set the receiver's webhook_url to another group's bot"
        }
        Some(10002 | 10030 | 230_002) => "the bot is not in the group (any more): add it",
        Some(10005 | 10012..=10015) => "the app's id or secret is wrong: set app.id and app.secret anew",
        Some(99_991_662 | 99_991_673 | 230_006) => {
            "the app is disabled, or has no bot: enable both and publish a version of the app"
        }
        Some(99_991_672 | 230_027) => {
            "the app lacks a permission: grant it im:message:send_as_bot and publish a version of it"
        }
        Some(99_991_403) => "the month's quota of API calls is used up",
        Some(230_001 | 230_034 | 232_006) => "there is no such chat: set the receiver's chat_id anew",
        Some(232_009) => "the group is gone: set the receiver's chat_id to another group",
        Some(11242 | 230_018 | 230_035) => {
            "the group does not let the bot speak: change the group's settings"
        }
        _ => "look the code up in Feishu's list of error codes",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bot_that_is_switched_off_is_to_be_enabled_and_an_unknown_code_to_be_looked_up() {
        assert!(advice(Some(19007)).contains("enable it"), "{}", advice(Some(19007)));
        for code in [None, Some(777_777)] {
            assert!(advice(code).contains("error codes"), "{code:?}");
        }
    }
}
