#!/bin/bash
# SQLite 3.46.1 (pysqlite3-binary 0.5.4): `PRAGMA incremental_vacuum(100)` gives one page back, and not a hundred, where it is only
# executed: it makes a row without columns for each page, and the next page goes when the next row is read. The description of
# the result is None, as of a statement that has no rows, so that nothing says that there is something to read.
# Seen: "free: 500, executed: 499, read to the end: 399".
# Needs python3 with venv and the machine's own PyPI mirror; takes seconds. Nothing is installed outside of a temporary folder.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip --quiet --disable-pip-version-check install pysqlite3-binary==0.5.4
cat > probe.py <<'PY'
import pysqlite3

print("SQLite", pysqlite3.sqlite_version)
database = pysqlite3.connect("probe.db", isolation_level=None)
database.execute("PRAGMA auto_vacuum = INCREMENTAL")
database.execute("CREATE TABLE filled (text)")
database.execute("BEGIN")
database.executemany("INSERT INTO filled VALUES (?)", [("x" * 4000,)] * 500)
database.execute("COMMIT")
database.execute("DELETE FROM filled")


def free():
    return database.execute("PRAGMA freelist_count").fetchone()[0]


before = free()
result = database.execute("PRAGMA incremental_vacuum(100)")
assert result.description is None
result.close()
executed = free()
rows = database.execute("PRAGMA incremental_vacuum(100)").fetchall()
print(f"free: {before}, executed: {executed}, read to the end: {free()}")
assert (before - executed, executed - free()) == (1, 100), "that has changed"
assert rows == [()] * 100, "that has changed"
PY
venv/bin/python probe.py
