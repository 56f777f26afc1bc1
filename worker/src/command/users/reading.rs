//! Users from a file, CSV or JSON; everything that is wrong with it, each with its line and its field. Pure. What is
//! wrong is never quoted: it may be somebody's number in the wrong column.

use std::collections::HashMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::csv;
use crate::directory::users::{USERS_MAX, User};
use crate::people::person::Mobile;

const FIELDS: [&str; 4] = ["username", "nickname", "mobile", "source_user_id"];
const TEXT_BYTES_MAX: usize = 128;

/// Somebody as the file has them, and where.
struct UserDraft {
    line: usize,
    values: [String; 4],
}

/// The users, or everything that is wrong. `id_prefix` is taken off ids.
pub(super) fn read(text: &str, id_prefix: &str) -> Result<Vec<User>, Vec<String>> {
    let is_json = text.trim_start().starts_with('[');
    let (drafts, mut problems) = if is_json { of_json(text) } else { of_csv(text) };
    if drafts.len() > USERS_MAX {
        return Err(vec![format!("{} users, and {USERS_MAX} are the most", drafts.len())]);
    }
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut users = Vec::new();
    for draft in drafts {
        let line = draft.line;
        if let Some(before) = seen.insert(draft.values[0].to_lowercase(), line) {
            problems.push(format!("line {line}: username: the same as in line {before}"));
        }
        match user(draft, id_prefix) {
            Ok(user) => users.push(user),
            Err(wrong) => problems.extend(wrong.iter().map(|wrong| format!("line {line}: {wrong}"))),
        }
    }
    if problems.is_empty() && users.is_empty() {
        problems.push("there are no users in it".to_owned());
    }
    if problems.is_empty() { Ok(users) } else { Err(problems) }
}

fn user(draft: UserDraft, id_prefix: &str) -> Result<User, Vec<String>> {
    let [username, nickname, mobile, id] = draft.values.map(|value| value.trim().to_owned());
    let id = id.strip_prefix(id_prefix).map(str::to_owned).unwrap_or(id);
    let mut wrong = Vec::new();
    if username.is_empty() {
        wrong.push("username: is missing".to_owned());
    }
    for (field, value) in [("username", &username), ("nickname", &nickname)] {
        if value.len() > TEXT_BYTES_MAX || value.contains(char::is_control) {
            wrong.push(format!("{field}: must be one line of at most {TEXT_BYTES_MAX} bytes"));
        }
    }
    let number = Mobile::parse(&mobile);
    if !mobile.is_empty() && number.is_none() {
        wrong.push("mobile: must be a number such as 13800138000 or +4915112345678".to_owned());
    }
    if !id.is_empty() && !User::is_id(&id) {
        wrong.push(
            "source_user_id: must be an open_id (ou_…) or a user_id of letters, digits, _ and -".to_owned(),
        );
    }
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    let user = User { username, nickname: some(nickname), mobile: number, id: some(id) };
    if wrong.is_empty() { Ok(user) } else { Err(wrong) }
}

fn of_csv(text: &str) -> (Vec<UserDraft>, Vec<String>) {
    let rows = match csv::rows(text) {
        Ok(rows) => rows,
        Err(line) => return (Vec::new(), vec![format!("line {line}: a quote begins here and does not end")]),
    };
    let mut rows = rows.into_iter();
    let Some(heading) = rows.next() else { return (Vec::new(), Vec::new()) };
    let mut problems = Vec::new();
    let known = |cell: &String| FIELDS.iter().position(|field| cell.trim().eq_ignore_ascii_case(field));
    let places: Vec<Option<usize>> = heading.cells.iter().map(known).collect();
    for (cell, _) in heading.cells.iter().zip(&places).filter(|(_, place)| place.is_none()) {
        let column = heading.cells.iter().position(|other| other == cell).map_or(0, |column| column + 1);
        problems.push(format!("line {}: column {column} is none of {}", heading.line, FIELDS.join(", ")));
    }
    if !places.contains(&Some(0)) {
        problems.push(format!(
            "line {}: the first line names the columns, and username is missing",
            heading.line
        ));
        return (Vec::new(), problems);
    }
    let mut drafts = Vec::new();
    for row in rows {
        if row.cells.len() != places.len() {
            let cells = row.cells.len();
            let columns = places.len();
            problems.push(format!("line {}: {cells} cells under {columns} columns", row.line));
            continue;
        }
        let mut values: [String; 4] = Default::default();
        for (cell, place) in row.cells.into_iter().zip(&places) {
            if let Some(place) = place {
                values[*place] = cell;
            }
        }
        drafts.push(UserDraft { line: row.line, values });
    }
    (drafts, problems)
}

fn of_json(text: &str) -> (Vec<UserDraft>, Vec<String>) {
    let entries: Vec<&RawValue> = match serde_json::from_str(text) {
        Ok(entries) => entries,
        // The library's own words may quote what is there.
        Err(error) => return (Vec::new(), vec![format!("line {}: this is not JSON", error.line())]),
    };
    let mut drafts = Vec::new();
    let mut problems = Vec::new();
    let mut line = 1;
    let mut counted = 0;
    for entry in entries {
        // Each is a part of the text, so its place there is known.
        let start = entry.get().as_ptr().addr() - text.as_ptr().addr();
        line += text[counted..start].matches('\n').count();
        counted = start;
        match serde_json::from_str::<Map<String, Value>>(entry.get()) {
            Ok(entry) => match values(entry) {
                Ok(values) => drafts.push(UserDraft { line, values }),
                Err(wrong) => problems.extend(wrong.iter().map(|wrong| format!("line {line}: {wrong}"))),
            },
            Err(_) => problems
                .push(format!("line {line}: must be an object such as {{\"username\": \"zhangsan\"}}")),
        }
    }
    (drafts, problems)
}

fn values(entry: Map<String, Value>) -> Result<[String; 4], Vec<String>> {
    let mut values: [String; 4] = Default::default();
    let mut wrong = Vec::new();
    for (name, value) in entry {
        match (FIELDS.iter().position(|field| *field == name), value) {
            (Some(place), Value::String(text)) => values[place] = text,
            (Some(_), Value::Null) => {}
            (Some(place), _) => wrong.push(format!("{}: must be a text, in quotes", FIELDS[place])),
            (None, _) => wrong.push(format!("{name:?} is none of {}", FIELDS.join(", "))),
        }
    }
    if wrong.is_empty() { Ok(values) } else { Err(wrong) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> Vec<String> {
        read(text, "feishu_").unwrap_err()
    }

    #[test]
    fn csv_and_json_say_the_same() {
        let csv =
            "source_user_id,username,nickname,mobile\nfeishu_ou_1,zhangsan,\"张, 三\",13800138000\n,lisi,,\n";
        let json = r#"[{"username":"zhangsan","nickname":"张, 三","mobile":"+8613800138000","source_user_id":"ou_1"},
            {"username":"lisi","mobile":null}]"#;
        let users = read(csv, "feishu_").unwrap();
        assert_eq!(users, read(json, "feishu_").unwrap());
        assert_eq!(users[0].id.as_deref(), Some("ou_1"));
        assert_eq!(users[1], User { username: "lisi".to_owned(), nickname: None, mobile: None, id: None });
    }

    #[test]
    fn everything_that_is_wrong_is_said_with_its_line_and_field_and_without_its_value() {
        let said = wrong(
            "username,mobile,source_user_id,source\nann,1380013,ou_1,\n,,all,\nANN,,\nbob,,\"x y\",\n\nann,,,\n",
        );
        assert_eq!(
            said,
            [
                "line 1: column 4 is none of username, nickname, mobile, source_user_id",
                "line 4: 3 cells under 4 columns",
                "line 2: mobile: must be a number such as 13800138000 or +4915112345678",
                "line 3: username: is missing",
                "line 3: source_user_id: must be an open_id (ou_…) or a user_id of letters, digits, _ and -",
                "line 5: source_user_id: must be an open_id (ou_…) or a user_id of letters, digits, _ and -",
                "line 7: username: the same as in line 2",
            ]
        );
        let said = wrong(
            "[\n {\"username\":\"a\",\n  \"mobile\":13800138000},\n {\"user\":\"b\"},\n {\"username\":\"\"}]",
        );
        assert_eq!(
            said,
            [
                "line 2: mobile: must be a text, in quotes",
                "line 4: \"user\" is none of username, nickname, mobile, source_user_id",
                "line 5: username: is missing",
            ]
        );
        assert_eq!(
            wrong("nickname\nx"),
            ["line 1: the first line names the columns, and username is missing"]
        );
        assert_eq!(wrong("[\n{"), ["line 2: this is not JSON"]);
        assert_eq!(wrong(""), ["there are no users in it"]);
        assert_eq!(wrong("username\n\"a"), ["line 2: a quote begins here and does not end"]);
    }
}
