//! The pages around a log-in: the form, and every reason why somebody does not get in, each with what to do.

use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, HeaderValue, RETRY_AFTER};
use maud::{Markup, html};
use runtime::telemetry::admin::PageAnswer;
use serde_json::json;

use crate::answer;
use crate::document::{Document, PageScript, brand};
use crate::language::Language;
use crate::request::{AnswerFormat, Fields};

/// What a page before the log-in is made with.
#[derive(Debug)]
pub(crate) struct Doorway<'d> {
    pub(crate) prefix: &'d str,
    pub(crate) query: &'d Fields,
    pub(crate) language: Language,
    pub(crate) format: AnswerFormat,
    pub(crate) ways: OpenWays,
}

/// The ways to log in that the page offers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenWays {
    pub(crate) passwords: bool,
    pub(crate) feishu: bool,
}

/// The form to log in, as it is shown.
#[derive(Debug)]
pub(crate) struct LoginForm<'f> {
    pub(crate) token: &'f str,
    /// Where it leads, below the prefix.
    pub(crate) next: &'f str,
    /// What was written into it before.
    pub(crate) name: &'f str,
    pub(crate) is_refused: bool,
}

/// Why somebody does not get in, in both languages.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    /// For programs.
    pub(crate) code: &'static str,
    pub(crate) title: [&'static str; 2],
    /// What is the matter, and what to do about it.
    pub(crate) advice: [String; 2],
    /// Whether trying again is of use.
    pub(crate) again: bool,
    /// After how many seconds.
    pub(crate) wait_s: Option<i64>,
}

impl Refusal {
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        title: [&'static str; 2],
        advice: [&str; 2],
    ) -> Self {
        Self { status, code, title, advice: advice.map(str::to_owned), again: true, wait_s: None }
    }

    /// Only somebody else can do something about it.
    pub(crate) fn for_good(self) -> Self {
        Self { again: false, ..self }
    }

    /// With what was said, where it helps whoever is to mend it; it is no secret.
    pub(crate) fn because(mut self, what: &str) -> Self {
        for advice in &mut self.advice {
            advice.push(' ');
            advice.push_str(what);
        }
        self
    }
}

impl Doorway<'_> {
    fn say<'t>(&self, [en, zh]: [&'t str; 2]) -> &'t str {
        self.language.say(en, zh)
    }

    fn to(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// The page to log in at.
    pub(crate) fn login(&self, form: &LoginForm<'_>) -> PageAnswer {
        let title = self.say(["Log in", "登录"]);
        let next: String = url::form_urlencoded::byte_serialize(form.next.as_bytes()).collect();
        let body = html! {
            div.door.panel {
                h1 { (title) }
                @if form.is_refused {
                    div.state.bad role="alert" {
                        p { (self.say(["Name or password is wrong.", "用户名或密码不正确。"])) }
                    }
                }
                @if self.ways.feishu {
                    p { a.button.main href=(self.to(&format!("/login/feishu?next={next}"))) {
                        (self.say(["Log in with Feishu", "使用飞书登录"]))
                    } }
                }
                @if self.ways.passwords {
                    form method="post" action=(self.to("/login")) {
                        input type="hidden" name="token" value=(form.token);
                        input type="hidden" name="next" value=(form.next);
                        label for="name" { (self.say(["Name", "用户名"])) }
                        input #name name="name" type="text" value=(form.name) required maxlength="128"
                            autocomplete="username" autocapitalize="none" spellcheck="false";
                        label for="password" { (self.say(["Password", "密码"])) }
                        input #password name="password" type="password" required maxlength="1024" autocomplete="current-password";
                        p { button.main[!self.ways.feishu] { (title) } }
                    }
                }
            }
        };
        let status = if form.is_refused { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
        self.page(status, title, &body)
    }

    /// The page that says why not.
    pub(crate) fn refused(&self, refusal: &Refusal) -> PageAnswer {
        let [en, zh] = &refusal.advice;
        let advice = self.language.say(en, zh);
        let mut answer = if self.format == AnswerFormat::Html {
            let title = self.say(refusal.title);
            let body = html! {
                div.door.panel {
                    h1 { (title) }
                    div.state.bad role="alert" { p { (advice) } }
                    @if refusal.again { p { a.button href=(self.to("/login")) { (self.say(["Log in again", "重新登录"])) } } }
                }
            };
            self.page(refusal.status, title, &body)
        } else {
            answer::json(refusal.status, &json!({ "error": advice, "code": refusal.code }))
        };
        if let Some(seconds) = refusal.wait_s {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        private(answer)
    }

    fn page(&self, status: StatusCode, title: &str, body: &Markup) -> PageAnswer {
        let others = Language::ALL.into_iter().filter(|language| *language != self.language);
        let document =
            Document { language: self.language, prefix: self.prefix, title, script: PageScript::Absent };
        let markup = document.with(&html! {
            header.top { span.brand { (brand(self.prefix)) } }
            main #main tabindex="-1" { (body) }
            footer {
                p.tools { @for language in others {
                    a href=(self.query.with(&[("lang", language.tag()), ("code", ""), ("state", "")]))
                        lang=(language.tag()) hreflang=(language.tag()) { (language.name()) }
                } }
            }
        });
        private(answer::html(status, markup))
    }
}

/// Nothing about a log-in is kept anywhere.
pub(crate) fn private(mut answer: PageAnswer) -> PageAnswer {
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
