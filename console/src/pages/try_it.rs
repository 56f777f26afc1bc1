//! What would become of a payload: gate, format, receiver and why, owners, links, the card. Nothing is sent.

use maud::html;
use serde::Serialize;

use crate::frame::{Frame, Section, Sheet};

/// The page's data.
#[derive(Debug, Serialize)]
pub(crate) struct TryView {
    /// What was pasted.
    pub(crate) payload: String,
    /// The receiver it is posted for, if one is named in its address.
    pub(crate) receiver: Option<String>,
    /// What would become of it, in words; `None` if nothing was asked or it would be refused.
    pub(crate) explained: Option<String>,
    /// Why it would be refused.
    pub(crate) refused: Option<String>,
}

pub(crate) fn try_it(frame: &Frame<'_>, data: &TryView) -> Sheet {
    let title = frame.say("Try it", "试一试").to_owned();
    Sheet {
        title: title.clone(),
        section: Some(Section::Try),
        refreshed_s: None,
        body: html! {
            h1 { (title) }
            p.soft { (frame.say("What would become of a payload, step by step. Nothing is sent.", "逐步说明一份请求体会如何处理。不会发送任何内容。")) }
            form.panel method="post" action=(frame.to("/try")) {
                (frame.form_token())
                label for="payload" { (frame.say("The payload, as a sender would post it", "请求体，与发送方提交的相同")) }
                textarea #payload name="payload" required spellcheck="false" { (data.payload) }
                div.actions {
                    div.grow {
                        label for="receiver" { (frame.say("Posted for this receiver (may be empty)", "地址中指定的接收方（可为空）")) }
                        input #receiver type="text" name="receiver" value=[data.receiver.as_deref()];
                    }
                    button.main type="submit" { (frame.say("Explain", "说明")) }
                }
            }
            @if let Some(refused) = &data.refused { p.state.bad role="alert" { (refused) } }
            @if let Some(explained) = &data.explained {
                section.panel aria-labelledby="explained" {
                    h2 #explained { (frame.say("What would become of it", "处理过程")) }
                    pre { (explained) }
                }
            }
        },
    }
}
