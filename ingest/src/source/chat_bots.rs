//! Bodies for the bots of chats: Feishu and Lark (`msg_type`), DingTalk and WeCom (`msgtype`). Whatever posts to such a bot may
//! post here. Pure.

use std::borrow::Cow;

use model::alert::{Alert, Labels, Mention, Status};
use model::envelope::Source;

use super::identity::Rule;
use super::node::Node;
use super::reading::AlertReading;
use super::{Context, chat_text, link, text_alert, text_lines};

/// How deep and how wide a card is looked through for texts.
const CARD_DEPTH_MAX: usize = 12;
const CARD_LINES_MAX: usize = 200;
/// People one message mentions; the rest is left out.
const PEOPLE_MAX: usize = 50;
/// What Uptime Kuma's cards for Feishu are called, with the state and the monitor behind it.
const UPTIME_KUMA: &str = "UptimeKuma Alert";
/// What asks for everybody, in the words of the three.
const EVERYBODY: [&str; 3] = ["all", "@all", "@所有人"];

/// What a message says.
#[derive(Debug, Default)]
pub(super) struct ChatMessage {
    title: String,
    /// What stands below the title; formatted if it came so.
    text: String,
    link: String,
    /// What the colour of its card says.
    colour: Option<Status>,
    people: Vec<String>,
    mobiles: Vec<String>,
}

/// Reads a body for a bot.
pub(super) fn read(
    node: &Node<'_>,
    source: Source,
    context: &Context,
) -> Result<AlertReading<'static>, &'static str> {
    let said = if source == Source::DingtalkBot {
        of_dingtalk(node)
    } else if source == Source::WecomBot {
        of_wecom(node)
    } else {
        of_feishu(node)
    };
    told(said, source, context).map(AlertReading::single).ok_or(NEEDS)
}

/// What these bodies need.
const NEEDS: &str = "a text, a post, a card or markdown with something in it";

/// Which of the two that write `msgtype` this is.
pub(super) fn source_of_msgtype(node: &Node<'_>) -> Source {
    let kind = node.text_of("msgtype");
    let is_of_wecom = matches!(kind, "markdown_v2" | "news" | "template_card" | "image" | "file" | "voice")
        || (kind == "markdown" && node.get("markdown").has("content"))
        || (kind == "text" && node.get("text").pairs().iter().any(|(key, _)| key.starts_with("mentioned_")));
    if is_of_wecom { Source::WecomBot } else { Source::DingtalkBot }
}

fn told(said: ChatMessage, source: Source, context: &Context) -> Option<Alert<'static>> {
    let ChatMessage { title, text, link: target, colour, mut people, mut mobiles } = said;
    let raw = format!("{title}\n{text}");
    people.extend(chat_text::mentioned(&raw));
    let (text, link_within) = chat_text::unformatted(&without_mobiles(&text, &mobiles));
    let (title, _) = chat_text::unformatted(&title);
    let whole = if title.is_empty() || text.starts_with(&title) { text } else { format!("{title}\n{text}") };
    let (title, rest) = text_lines::title_and_rest(&whole);
    if title.is_empty() {
        return None;
    }
    let status = chat_text::status(title, rest).or(colour).unwrap_or(Status::Firing);
    let mut labels = Labels::default();
    text_lines::add_labels(&mut labels, &whole, &context.timezone);
    let identity = if text_alert::is_test(title) {
        super::identity::Identity::of_test(context.id, 0)
    } else {
        // What is below says why it is down, and of what is up that it answers; the title says what.
        let below = if title.starts_with(UPTIME_KUMA) { "" } else { rest };
        let key = chat_text::key(title, below);
        let pairs = [("source", source.as_str()), ("message", &*key)];
        Rule::new(context).of_pairs(pairs, model::alert::Fingerprint::of_pairs(pairs))
    };
    people.truncate(PEOPLE_MAX);
    mobiles.truncate(PEOPLE_MAX);
    let mention = mention(people, mobiles);
    let mut alert = text_alert::told(&whole, labels, identity, status, mention);
    let target = if target.is_empty() { link_within } else { target };
    alert.generator_url = link::absolute(Cow::Owned(target), "");
    Some(alert)
}

/// DingTalk wants the numbers it mentions in the text as well; they are personal data.
fn without_mobiles(text: &str, mobiles: &[String]) -> String {
    mobiles.iter().fold(text.to_owned(), |text, mobile| text.replace(&format!("@{mobile}"), ""))
}

/// Whom a message names: ids as ids, numbers as numbers, anything else as names.
pub(super) fn mention(people: Vec<String>, mobiles: Vec<String>) -> Mention<'static> {
    let (ids, names): (Vec<_>, Vec<_>) = people.into_iter().partition(|name| name.starts_with("ou_"));
    let is_number = |name: &String| {
        name.len() >= 6 && name.trim_start_matches('+').bytes().all(|byte| byte.is_ascii_digit())
    };
    let (numbers, names): (Vec<_>, Vec<_>) = names.into_iter().partition(is_number);
    let plain = |name: String| if EVERYBODY.contains(&&*name) { "all".to_owned() } else { name };
    let (all, mobiles): (Vec<_>, Vec<_>) =
        mobiles.into_iter().chain(numbers).partition(|mobile| EVERYBODY.contains(&&**mobile));
    let names = names.into_iter().chain(all).map(plain).map(Cow::Owned).collect();
    let mobiles = mobiles.into_iter().map(Cow::Owned).collect();
    let others = text_alert::mention(names, mobiles);
    Mention { open_ids: ids.into_iter().map(Cow::Owned).collect(), ..others }
}

// Feishu and Lark.

fn of_feishu(node: &Node<'_>) -> ChatMessage {
    let content = node.get("content").unpacked();
    match node.text_of("msg_type") {
        "text" => ChatMessage { text: text_in(&content, "text").to_owned(), ..ChatMessage::default() },
        "post" => of_post(&content),
        "interactive" => {
            let card = if node.get("card").is_empty() { node.get("content") } else { node.get("card") };
            of_card(&card.unpacked())
        }
        // The first version of these bots: `{"title", "text"}`; and whatever comes without its type.
        _ => ChatMessage {
            title: node.text_of("title").to_owned(),
            text: text_in(node, "text").to_owned(),
            ..ChatMessage::default()
        },
    }
}

/// The text under a key, or what it is itself.
fn text_in<'n>(node: &'n Node<'_>, key: &str) -> &'n str {
    let text = node.text_of(key);
    if text.is_empty() { node.text() } else { text }
}

fn of_post(content: &Node<'_>) -> ChatMessage {
    let post = content.get("post").unpacked();
    let post = if post.is_empty() { Cow::Borrowed(content) } else { post };
    let languages = [post.get("zh_cn"), post.get("en_us"), post.get("ja_jp")];
    let first = post.pairs().first().map(|(_, value)| value).filter(|value| value.is_map());
    let written = languages.into_iter().chain(first).find(|written| written.is_map()).unwrap_or(&post);
    let mut said = ChatMessage { title: written.text_of("title").to_owned(), ..ChatMessage::default() };
    let mut lines = Vec::new();
    for paragraph in written.get("content").items() {
        let mut line = String::new();
        for part in paragraph.items() {
            match part.text_of("tag") {
                "at" => said.people.extend(named(part.text_of("user_id"))),
                tag => {
                    line.push_str(part.get("text").whole_text());
                    if tag == "a" && said.link.is_empty() {
                        part.text_of("href").clone_into(&mut said.link);
                    }
                }
            }
        }
        lines.push(line);
    }
    said.text = lines.join("\n");
    said
}

fn named(name: &str) -> Option<String> {
    (!name.is_empty()).then(|| name.to_owned())
}

/// A card of either version. One that names a template has no text but what fills it.
fn of_card(card: &Node<'_>) -> ChatMessage {
    let template = card.get("data").get("template_variable");
    if card.text_of("type") == "template" || !template.is_empty() {
        let title = template.any(&["title", "alert_title", "name"]).text();
        let rest = template.texts().filter(|(_, value)| *value != title);
        let filled: Vec<_> = rest.map(|(name, value)| format!("{name}: {value}")).collect();
        return ChatMessage { title: title.to_owned(), text: filled.join("\n"), ..ChatMessage::default() };
    }
    let header = card.get("header");
    let title = header.get("title");
    let colour = match header.text_of("template") {
        "green" => Some(Status::Resolved),
        "red" | "orange" | "carmine" | "yellow" => Some(Status::Firing),
        _ => None,
    };
    let mut said =
        ChatMessage { title: text_in(title, "content").to_owned(), colour, ..ChatMessage::default() };
    if said.title.is_empty() {
        first_of(title.get("i18n")).clone_into(&mut said.title);
    }
    let body = card.get("body").get("elements");
    let elements = if body.is_empty() { card.get("elements") } else { body };
    let elements = if elements.is_empty() { language_of(card.get("i18n_elements")) } else { elements };
    let mut lines = Vec::new();
    walk(elements, CARD_DEPTH_MAX, &mut lines, &mut said.link);
    said.text = lines.join("\n");
    said
}

fn language_of<'n, 'a>(languages: &'n Node<'a>) -> &'n Node<'a> {
    let known = languages.any(&["zh_cn", "en_us"]);
    if known.is_empty() { languages.pairs().first().map_or(known, |(_, value)| value) } else { known }
}

fn first_of<'n>(texts: &'n Node<'_>) -> &'n str {
    let known = texts.any(&["zh_cn", "en_us"]).text();
    if known.is_empty() { texts.texts().next().map_or("", |(_, text)| text) } else { known }
}

/// Every text of an element and what is in it, a line each. Buttons are links, and no text.
fn walk(node: &Node<'_>, depth: usize, lines: &mut Vec<String>, target: &mut String) {
    if depth == 0 || lines.len() >= CARD_LINES_MAX {
        return;
    }
    for item in node.items() {
        walk(item, depth - 1, lines, target);
    }
    if !node.is_map() {
        return;
    }
    if matches!(
        node.text_of("tag"),
        "button" | "overflow" | "select_static" | "img" | "date_picker" | "input"
    ) {
        let url = node.any(&["url", "default_url"]);
        let url = if url.is_empty() { node.get("multi_url").get("url") } else { url };
        let opened = node.get("behaviors").items().iter().map(|behavior| behavior.text_of("default_url"));
        let url = [url.text()].into_iter().chain(opened).find(|url| !url.is_empty()).unwrap_or_default();
        if target.is_empty() {
            url.clone_into(target);
        }
        return;
    }
    let text = node.text_of("content");
    if !text.is_empty() {
        lines.push(text.to_owned());
    } else if matches!(node.text_of("tag"), "text" | "a" | "plain_text") {
        lines.extend(named(node.text_of("text")));
    }
    // Elements of a table are its rows, which need its columns; the rest is texts within texts.
    for key in ["title", "text", "header", "fields", "elements", "columns", "content", "actions", "extra"] {
        walk(node.get(key), depth - 1, lines, target);
    }
}

// DingTalk and WeCom.

fn of_dingtalk(node: &Node<'_>) -> ChatMessage {
    let kind = node.text_of("msgtype");
    let part = node.any(&[kind, "markdown", "text", "actionCard", "link", "action_card"]);
    let at = node.get("at");
    let at = if at.is_empty() { part.get("at") } else { at };
    let texts = |node: &Node<'_>| node.items().iter().map(|item| item.text().to_owned()).collect::<Vec<_>>();
    let mut said = ChatMessage {
        title: part.text_of("title").to_owned(),
        text: part.any(&["text", "content"]).text().to_owned(),
        link: part.any(&["messageUrl", "singleURL", "singleUrl"]).text().to_owned(),
        people: texts(at.get("atUserIds")),
        mobiles: texts(at.get("atMobiles")),
        ..ChatMessage::default()
    };
    let first_button =
        part.get("btns").items().first().map(|button| button.any(&["actionURL", "actionUrl"]).text());
    if said.link.is_empty() {
        first_button.unwrap_or_default().clone_into(&mut said.link);
    }
    if said.text.is_empty() {
        let links = part.get("links").items().iter().map(|link| link.text_of("title"));
        said.text = links.collect::<Vec<_>>().join("\n");
    }
    if at.text_of("isAtAll") == "true" || part.text_of("isAtAll") == "true" {
        said.people.push("all".to_owned());
    }
    said
}

fn of_wecom(node: &Node<'_>) -> ChatMessage {
    let kind = node.text_of("msgtype");
    let part = node.any(&[kind, "markdown", "markdown_v2", "text", "template_card", "news"]);
    let texts = |node: &Node<'_>| node.items().iter().map(|item| item.text().to_owned()).collect::<Vec<_>>();
    let mut said = ChatMessage {
        text: part.any(&["content", "sub_title_text"]).text().to_owned(),
        people: texts(part.get("mentioned_list")),
        mobiles: texts(part.get("mentioned_mobile_list")),
        ..ChatMessage::default()
    };
    if kind == "template_card" {
        let main = part.get("main_title");
        main.text_of("title").clone_into(&mut said.title);
        part.at(&["card_action", "url"]).text().clone_into(&mut said.link);
        let pairs = part.get("horizontal_content_list").items().iter();
        let pairs = pairs.map(|pair| format!("{}: {}", pair.text_of("keyname"), pair.text_of("value")));
        let lines: Vec<_> = [main.text_of("desc").to_owned(), said.text].into_iter().chain(pairs).collect();
        said.text = lines.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
    }
    if let Some(article) = part.get("articles").items().first() {
        article.text_of("title").clone_into(&mut said.title);
        article.text_of("description").clone_into(&mut said.text);
        article.text_of("url").clone_into(&mut said.link);
    }
    said
}
