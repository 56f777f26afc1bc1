//! Webhook URLs that are right as URLs and lead to no custom bot of Feishu's. Pure.

use url::Url;

/// Whose webhooks are pasted in the wrong place, by the end of their hosts.
const OTHERS: [(&str, &str); 8] = [
    ("dingtalk.com", "DingTalk"),
    ("qyapi.weixin.qq.com", "WeCom"),
    ("hooks.slack.com", "Slack"),
    ("discord.com", "Discord"),
    ("discordapp.com", "Discord"),
    ("webhook.office.com", "Teams"),
    ("logic.azure.com", "Teams"),
    ("api.telegram.org", "Telegram"),
];
/// Custom bots of the first version: their path, and they took another form of message.
const FIRST_VERSION: &str = "/open-apis/bot/hook/";
/// So many equal characters in a row are nobody's token.
const EQUAL_MAX: usize = 5;

/// Why no card can go there, as the end of the sentence "The `webhook_url` of … ". Quotes nothing of it.
pub(super) fn flaw(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?;
    let is_at = |end: &str| host == end || host.strip_suffix(end).is_some_and(|before| before.ends_with('.'));
    if let Some((_, whose)) = OTHERS.iter().find(|(end, _)| is_at(end)) {
        return Some(format!(
            "is {whose}'s, which takes no cards of Feishu's: set the one of a custom bot in Feishu or Lark"
        ));
    }
    if url.path().starts_with(FIRST_VERSION) {
        let what = "is of the first version of custom bots, which takes another form of message: add a new custom bot to the \
                    group; its URL has /open-apis/bot/v2/hook/";
        return Some(what.to_owned());
    }
    let token = url.path_segments()?.next_back()?;
    is_example(token).then(|| {
        "is the example of a document: set the one that the group's settings show for the bot".to_owned()
    })
}

/// A token that stands for one.
fn is_example(token: &str) -> bool {
    let lower = token.to_ascii_lowercase();
    let words = ["your", "webhook", "example", "placeholder"];
    // Of a path the parser writes an ellipsis, a brace or an angle bracket in percent-encoding.
    let marks = ["...", "%e2%80%a6", "%7b", "%3c", "<", "{"];
    let bytes: Vec<u8> = lower.bytes().filter(|byte| *byte != b'-').collect();
    words.iter().chain(&marks).any(|mark| lower.contains(mark))
        || (bytes.len() > EQUAL_MAX && bytes.windows(2).all(|pair| pair[0] == pair[1]))
}
