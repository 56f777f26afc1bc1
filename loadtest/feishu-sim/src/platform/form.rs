//! A body that is a form with files (RFC 7578): its parts, each with its name.

use bytes::Bytes;

use super::ApiRequest;
use crate::refusal::Refusal;

const LINE_END: &[u8] = b"\r\n";

/// One part.
pub(super) struct FormPart {
    name: String,
    is_file: bool,
    content: Bytes,
}

pub(super) struct Form(Vec<FormPart>);

impl Form {
    pub(super) fn read(request: &ApiRequest) -> Result<Self, Refusal> {
        let Some(boundary) = &request.boundary else {
            return Err(Refusal::bad_request("the content type is not multipart/form-data"));
        };
        let broken = || Refusal::bad_request("the body is no form");
        let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
        // Before the first one there is no line to be ended.
        let mut at =
            request.body.strip_prefix(&delimiter[2..]).map(|_| delimiter.len() - 2).ok_or_else(broken)?;
        let mut parts = Vec::new();
        loop {
            let rest = request.body.slice(at..);
            if rest.starts_with(b"--") {
                return Ok(Self(parts));
            }
            let rest = rest.strip_prefix(LINE_END).ok_or_else(broken)?;
            let end = find(rest, &delimiter).ok_or_else(broken)?;
            let begin = at + LINE_END.len();
            parts.push(part(&request.body.slice(begin..begin + end)).ok_or_else(broken)?);
            at = begin + end + delimiter.len();
        }
    }

    /// A part that is a text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let part = self.0.iter().find(|part| part.name == name && !part.is_file)?;
        std::str::from_utf8(&part.content).ok()
    }

    /// A part that is a file.
    pub(super) fn file(&self, name: &str) -> Option<&Bytes> {
        self.0.iter().find(|part| part.name == name && part.is_file).map(|part| &part.content)
    }
}

fn part(bytes: &Bytes) -> Option<FormPart> {
    let end = find(bytes, b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let disposition = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-disposition").then_some(value.trim())
    })?;
    let attribute = |name: &str| {
        let mut attributes = disposition.split(';').skip(1).filter_map(|one| one.trim().split_once('='));
        attributes.find(|(own, _)| *own == name).map(|(_, value)| value.trim_matches('"').to_owned())
    };
    let is_file = attribute("filename").is_some_and(|name| !name.is_empty());
    Some(FormPart { name: attribute("name")?, is_file, content: bytes.slice(end + 4..) })
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
