#!/bin/bash
# SQLite 3.46.1 (pysqlite3-binary 0.5.4): in a new and empty file `PRAGMA auto_vacuum = INCREMENTAL` does nothing, and says nothing,
# once `PRAGMA journal_mode = WAL` was there before it, although there is no table yet. The other way round it works. Which of the
# two comes first decides whether a file can ever shrink without being written anew.
# Seen: "WAL first: auto_vacuum 0; WAL second: auto_vacuum 2".
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


def auto_vacuum(name, *pragmas):
    database = pysqlite3.connect(name, isolation_level=None)
    for pragma in pragmas:
        database.execute(f"PRAGMA {pragma}").fetchall()
    database.execute("CREATE TABLE later (number)")
    return database.execute("PRAGMA auto_vacuum").fetchone()[0]


first = auto_vacuum("first.db", "journal_mode = WAL", "auto_vacuum = INCREMENTAL")
second = auto_vacuum("second.db", "auto_vacuum = INCREMENTAL", "journal_mode = WAL")
print(f"WAL first: auto_vacuum {first}; WAL second: auto_vacuum {second}")
assert (first, second) == (0, 2), "that has changed"
PY
venv/bin/python probe.py
