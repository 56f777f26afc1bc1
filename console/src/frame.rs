//! What stands around every page: the way to the others, the language, the foot.

use maud::{Markup, html};

use crate::access::Identity;
use crate::document::{Document, PageScript, brand};
use crate::language::Language;
use crate::request::Fields;

/// The pages that the frame leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Overview,
    Firing,
    Alerts,
    DeadLetters,
    Receivers,
    Silences,
    Audit,
    Try,
}

impl Section {
    const ALL: [Self; 8] = [
        Self::Overview,
        Self::Firing,
        Self::Alerts,
        Self::DeadLetters,
        Self::Receivers,
        Self::Silences,
        Self::Audit,
        Self::Try,
    ];

    const fn path(self) -> &'static str {
        match self {
            Self::Overview => "/",
            Self::Firing => "/firing",
            Self::Alerts => "/alerts",
            Self::DeadLetters => "/dead-letters",
            Self::Receivers => "/receivers",
            Self::Silences => "/silences",
            Self::Audit => "/audit",
            Self::Try => "/try",
        }
    }

    const fn name(self, language: Language) -> &'static str {
        match self {
            Self::Overview => language.say("Overview", "概览"),
            Self::Firing => language.say("Now", "当前告警"),
            Self::Alerts => language.say("Alerts", "告警"),
            Self::DeadLetters => language.say("Dead letters", "死信"),
            Self::Receivers => language.say("Receivers", "接收方"),
            Self::Silences => language.say("Silences", "静默"),
            Self::Audit => language.say("Audit", "操作审计"),
            Self::Try => language.say("Try it", "试一试"),
        }
    }
}

/// What a page needs to be put together besides its data.
#[derive(Debug)]
pub(crate) struct Frame<'f> {
    /// Stands before every path.
    pub(crate) prefix: &'f str,
    pub(crate) language: Language,
    pub(crate) identity: &'f Identity,
    pub(crate) query: &'f Fields,
    pub(crate) version: &'f str,
    pub(crate) zone: &'f jiff::tz::TimeZone,
    /// Whether payloads can be explained here.
    pub(crate) can_explain: bool,
    /// Whether cards are sent to nobody.
    pub(crate) is_previewing: bool,
}

/// One page, to be put into the frame.
#[derive(Debug)]
pub(crate) struct Sheet {
    pub(crate) title: String,
    pub(crate) section: Option<Section>,
    /// After how many seconds it is looked at again, if it changes by itself.
    pub(crate) refreshed_s: Option<u32>,
    pub(crate) body: Markup,
}

impl Frame<'_> {
    /// The text in the reader's language.
    pub(crate) const fn say<'t>(&self, en: &'t str, zh: &'t str) -> &'t str {
        self.language.say(en, zh)
    }

    /// A path below the prefix, as a link has it.
    pub(crate) fn to(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// The whole page.
    pub(crate) fn around(&self, sheet: &Sheet) -> Markup {
        let refreshed = sheet.refreshed_s.map(|seconds| seconds.to_string());
        let document = Document {
            language: self.language,
            prefix: self.prefix,
            title: &sheet.title,
            script: PageScript::Runs,
        };
        document.with(&html! {
            a.skip href="#main" { (self.say("Skip to the page", "跳到正文")) }
            (self.head(sheet.section))
            // The overview says it among what else is wrong.
            @if self.is_previewing && sheet.section != Some(Section::Overview) { (self.previewing()) }
            main #main tabindex="-1" data-refresh=[refreshed] { (sheet.body) }
            (self.foot(sheet.refreshed_s.is_some()))
            (self.keys())
        })
    }

    fn previewing(&self) -> Markup {
        html! {
            aside.state.bad aria-label=(self.say("Preview", "预览")) {
                (self.say("Previewing: cards are shown here and sent to nobody. ", "预览模式：卡片只在本机显示，不发送给任何人。"))
                a href=(self.to("/preview")) { (self.say("Look at the cards", "查看卡片")) }
            }
        }
    }

    /// What each key does; the script opens it.
    fn keys(&self) -> Markup {
        let keys = [
            ("/", self.say("to the filter", "跳到过滤框")),
            ("j k", self.say("down and up a list", "在列表中上下移动")),
            ("x", self.say("choose the line", "选中该行")),
            ("Enter", self.say("open the line", "打开该行")),
            ("r", self.say("pause or resume refresh", "暂停或恢复刷新")),
            ("?", self.say("this help", "本帮助")),
        ];
        html! {
            dialog #keys aria-labelledby="keys-title" {
                h2 #keys-title { (self.say("Keys", "快捷键")) }
                dl.facts { @for (key, what) in keys {
                    dt { @for one in key.split(' ') { kbd { (one) } " " } } dd { (what) }
                } }
                p.soft { (self.say("With shift, all lines in between are chosen. No key acts on anything.", "按住 Shift 可连续选中。没有会执行操作的按键。")) }
                form method="dialog" { button.main { (self.say("Close", "关闭")) } }
            }
        }
    }

    fn head(&self, section: Option<Section>) -> Markup {
        html! {
            header.top {
                a.brand href=(self.to("/")) { (brand(self.prefix)) }
                nav aria-label=(self.say("Pages", "页面")) {
                    @for known in Section::ALL.into_iter().filter(|known| self.can_explain || *known != Section::Try) {
                        a href=(self.to(known.path())) aria-current=[(section == Some(known)).then_some("page")] {
                            (known.name(self.language))
                        }
                    }
                }
            }
        }
    }

    fn log_out(&self) -> Markup {
        html! {
            form.tools method="post" action=(self.to("/logout")) {
                (self.form_token())
                button.quiet { (self.say("Log out", "退出登录")) }
                button.quiet formaction=(self.to("/logout/everywhere")) {
                    (self.say("Log out everywhere", "在所有设备上退出"))
                }
            }
        }
    }

    fn foot(&self, is_live: bool) -> Markup {
        let others = Language::ALL.into_iter().filter(|language| *language != self.language);
        html! {
            footer {
                p {
                    (self.say("Times are in ", "时间均为 ")) (self.zone.iana_name().unwrap_or("UTC")) (self.say(".", "。"))
                    " Larkfire " (self.version) " · " (self.identity.name)
                    @if !self.identity.may_act() { " (" (self.say("may look only", "只读")) ")" }
                }
                @if self.identity.is_logged_in { (self.log_out()) }
                p.tools {
                    @if is_live {
                        button.quiet type="button" data-pause hidden
                            data-on=(self.say("Pause refresh", "暂停刷新"))
                            data-off=(self.say("Resume refresh", "恢复刷新")) { (self.say("Pause refresh", "暂停刷新")) }
                    }
                    button.quiet type="button" data-keys hidden { (self.say("Keys", "快捷键")) }
                    a href=(self.query.with(&[("format", "json"), ("lang", "")])) rel="alternate" type="application/json" { "JSON" }
                    @for language in others {
                        a href=(self.query.with(&[("lang", language.tag())])) lang=(language.tag()) hreflang=(language.tag()) {
                            (language.name())
                        }
                    }
                }
            }
        }
    }
}
