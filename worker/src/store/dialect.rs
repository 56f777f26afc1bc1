//! What is said differently to each database. A statement is written once, as `MySQL` has it and `SQLite` understands it;
//! what that cannot say (a row whose key is there already, so many rows to delete) is put together here.

use super::Pool;

/// Whose words a statement is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    MySql,
    Postgres,
    Sqlite,
}

/// What precedes a new value in [`Insert::or_update`].
const NEW: &str = "NEW(";

/// Rows for a table that may have some of their keys already.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Insert<'s> {
    pub(crate) table: &'s str,
    /// The columns that the rows have, those of the key first.
    pub(crate) columns: &'s [&'s str],
    /// How many of them are the key.
    pub(crate) key: usize,
}

/// Some of the rows of a table, the first in an order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeleteSome<'s> {
    pub(crate) table: &'s str,
    /// The columns of its primary key.
    pub(crate) key: &'s str,
    pub(crate) condition: &'s str,
    /// By which they are the first; the condition and the order are an index's.
    pub(crate) order: &'s str,
}

impl Pool {
    /// Of its statements. A simulation takes any.
    pub(crate) const fn dialect(&self) -> Dialect {
        match self {
            Self::MySql(_) => Dialect::MySql,
            Self::Postgres(_) => Dialect::Postgres,
            Self::Sqlite(_) | Self::Simulated(_) => Dialect::Sqlite,
        }
    }
}

impl Insert<'_> {
    /// Of `rows` (`VALUES …` or `SELECT …`) those whose key is there are left out.
    pub(crate) fn or_keep(self, dialect: Dialect, rows: &str) -> String {
        match dialect {
            Dialect::MySql => self.text("INSERT IGNORE", rows, ""),
            Dialect::Postgres => self.text("INSERT", rows, "ON CONFLICT DO NOTHING"),
            Dialect::Sqlite => self.text("INSERT OR IGNORE", rows, ""),
        }
    }

    /// Those whose key is there take its row's place. No two of them have the same key.
    pub(crate) fn or_replace(self, dialect: Dialect, rows: &str) -> String {
        match dialect {
            Dialect::MySql | Dialect::Sqlite => self.text("REPLACE", rows, ""),
            Dialect::Postgres => {
                let column = |column: &&str| format!("{column} = {NEW}{column})");
                let updates: Vec<_> = self.columns.iter().skip(self.key).map(column).collect();
                self.or_update(dialect, rows, &updates)
            }
        }
    }

    /// Those whose key is there change its row so: `column = …`, in which `NEW(column)` is the new value, and a column
    /// without that, behind the table's name, the old one. No two of them have the same key. `MySQL` assigns from left to
    /// right, so what others look at comes last.
    pub(crate) fn or_update<U: AsRef<str>>(self, dialect: Dialect, rows: &str, updates: &[U]) -> String {
        let updates: Vec<_> = updates.iter().map(|update| new_values(dialect, update.as_ref())).collect();
        let updates = updates.join(", ");
        let on_conflict = match dialect {
            Dialect::MySql => format!("ON DUPLICATE KEY UPDATE {updates}"),
            Dialect::Postgres | Dialect::Sqlite => {
                let key = self.columns.get(..self.key).unwrap_or_default().join(", ");
                format!("ON CONFLICT ({key}) DO UPDATE SET {updates}")
            }
        };
        self.text("INSERT", rows, &on_conflict)
    }

    fn text(self, verb: &str, rows: &str, on_conflict: &str) -> String {
        format!("{verb} INTO {} ({}) {rows} {on_conflict}", self.table, self.columns.join(", "))
    }
}

impl DeleteSome<'_> {
    /// The statement; its last value is how many at most.
    pub(crate) fn statement(self, dialect: Dialect) -> String {
        let Self { table, key, condition, order } = self;
        match dialect {
            Dialect::MySql => format!("DELETE FROM {table} WHERE {condition} ORDER BY {order} LIMIT ?"),
            Dialect::Postgres | Dialect::Sqlite => format!(
                "DELETE FROM {table} WHERE ({key}) IN \
                 (SELECT {key} FROM {table} WHERE {condition} ORDER BY {order} LIMIT ?)"
            ),
        }
    }
}

fn new_values(dialect: Dialect, update: &str) -> String {
    match dialect {
        Dialect::MySql => update.replace(NEW, "VALUES("),
        Dialect::Postgres | Dialect::Sqlite => {
            let mut parts = update.split(NEW);
            let mut text = parts.next().unwrap_or_default().to_owned();
            for part in parts {
                let (column, rest) = part.split_once(')').unwrap_or((part, ""));
                text.push_str("excluded.");
                text.push_str(column);
                text.push_str(rest);
            }
            text
        }
    }
}

/// A statement as `PostgreSQL` has it: its values have numbers, and two types other names. Nothing that is quoted in our
/// statements has a `?` in it.
pub(crate) fn for_postgres(text: &str) -> String {
    let mut numbered = String::with_capacity(text.len() + 64);
    let mut parts = text.split('?');
    numbered.push_str(parts.next().unwrap_or_default());
    for (place, part) in (1_usize..).zip(parts) {
        numbered.push('$');
        numbered.push_str(&place.to_string());
        numbered.push_str(part);
    }
    if numbered.contains(" AS SIGNED)") || numbered.contains(" AS CHAR)") {
        numbered = numbered.replace(" AS SIGNED)", " AS BIGINT)").replace(" AS CHAR)", " AS TEXT)");
    }
    numbered
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: Insert<'_> = Insert { table: "t", columns: &["a", "b", "c"], key: 2 };

    #[test]
    fn a_row_whose_key_is_there_is_left_out_replaced_or_changed_in_each_databases_words() {
        fn all(text: impl Fn(Dialect) -> String) -> [String; 3] {
            [Dialect::MySql, Dialect::Postgres, Dialect::Sqlite].map(text)
        }
        let values = "VALUES (?, ?, ?)";
        assert_eq!(
            all(|dialect| ROWS.or_keep(dialect, values)),
            [
                "INSERT IGNORE INTO t (a, b, c) VALUES (?, ?, ?) ",
                "INSERT INTO t (a, b, c) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                "INSERT OR IGNORE INTO t (a, b, c) VALUES (?, ?, ?) ",
            ]
        );
        assert_eq!(
            all(|dialect| ROWS.or_replace(dialect, values)),
            [
                "REPLACE INTO t (a, b, c) VALUES (?, ?, ?) ",
                "INSERT INTO t (a, b, c) VALUES (?, ?, ?) ON CONFLICT (a, b) DO UPDATE SET c = excluded.c",
                "REPLACE INTO t (a, b, c) VALUES (?, ?, ?) ",
            ]
        );
        assert_eq!(
            all(|dialect| ROWS.or_update(dialect, values, &["c = t.c + NEW(c) - NEW(b)"])),
            [
                "INSERT INTO t (a, b, c) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE c = t.c + VALUES(c) - VALUES(b)",
                "INSERT INTO t (a, b, c) VALUES (?, ?, ?) ON CONFLICT (a, b) DO UPDATE SET c = t.c + excluded.c - excluded.b",
                "INSERT INTO t (a, b, c) VALUES (?, ?, ?) ON CONFLICT (a, b) DO UPDATE SET c = t.c + excluded.c - excluded.b",
            ]
        );
    }

    #[test]
    fn values_are_numbered_and_types_named_for_postgresql() {
        let text = "SELECT CAST(COUNT(*) AS SIGNED), CAST(a AS CHAR) FROM t WHERE a IN (?, ?) AND b > ?";
        let expected =
            "SELECT CAST(COUNT(*) AS BIGINT), CAST(a AS TEXT) FROM t WHERE a IN ($1, $2) AND b > $3";
        assert_eq!(for_postgres(text), expected);
        assert_eq!(for_postgres(&["?"; 12].join(",")), "$1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12");
    }
}
