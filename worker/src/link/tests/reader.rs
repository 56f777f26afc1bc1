//! A reader of the part of LogQL that queries here are made of. It takes less than Loki does, never more.

/// A query, taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Read {
    /// Label and value of each matcher; all of them `=`.
    pub(super) matchers: Vec<(String, String)>,
    /// Operator and text of each line filter.
    pub(super) filters: Vec<(String, String)>,
}

/// Reads a query, or says at what it fails.
pub(super) fn read(query: &str) -> Result<Read, String> {
    let mut rest = Rest(query);
    let mut read = Read::default();
    rest.expect("{")?;
    loop {
        let name = rest.name()?;
        rest.expect("=")?;
        read.matchers.push((name, rest.text()?));
        if !rest.take(",") {
            break;
        }
    }
    rest.expect("}")?;
    while !rest.0.is_empty() {
        rest.expect(" ")?;
        let operators = ["|=", "|~", "!=", "!~"];
        let operator = operators.into_iter().find(|operator| rest.take(operator));
        let operator = operator.ok_or_else(|| format!("no filter at {:?}", rest.0))?;
        rest.expect(" ")?;
        read.filters.push((operator.to_owned(), rest.text()?));
    }
    // Loki: "queries require at least one … matcher that does not have an empty-compatible value".
    if read.matchers.iter().all(|(_, value)| value.is_empty()) {
        return Err("it selects nothing".to_owned());
    }
    Ok(read)
}

struct Rest<'q>(&'q str);

impl Rest<'_> {
    fn take(&mut self, token: &str) -> bool {
        let after = self.0.strip_prefix(token);
        self.0 = after.unwrap_or(self.0);
        after.is_some()
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.take(token) { Ok(()) } else { Err(format!("no {token:?} at {:?}", self.0)) }
    }

    fn next(&mut self) -> Result<char, String> {
        let next = self.0.chars().next().ok_or("it ends too early")?;
        self.0 = &self.0[next.len_utf8()..];
        Ok(next)
    }

    fn name(&mut self) -> Result<String, String> {
        let end = self.0.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(self.0.len());
        let (name, rest) = self.0.split_at(end);
        self.0 = rest;
        let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if begins_well { Ok(name.to_owned()) } else { Err(format!("no label at {rest:?}")) }
    }

    /// A text in double quotes, with Go's escapes.
    fn text(&mut self) -> Result<String, String> {
        self.expect("\"")?;
        let mut text = String::new();
        loop {
            match self.next()? {
                '"' => return Ok(text),
                '\\' => text.push(self.escape()?),
                control if control.is_control() => return Err(format!("a raw {control:?}")),
                character => text.push(character),
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        match self.next()? {
            'n' => Ok('\n'),
            'r' => Ok('\r'),
            't' => Ok('\t'),
            same @ ('"' | '\\') => Ok(same),
            'u' => {
                let digits = [self.next()?, self.next()?, self.next()?, self.next()?];
                let code =
                    u32::from_str_radix(&String::from_iter(digits), 16).map_err(|error| error.to_string())?;
                char::from_u32(code).ok_or_else(|| format!("no character {code:x}"))
            }
            other => Err(format!("no escape {other:?}")),
        }
    }
}
