#!/usr/bin/env bash
# Who may link whom (CONTRIBUTING.md): ingest has to stay small, so neither a database driver nor an HTTP
# client gets into it, and nothing points from shared to a role or from one role to the other.
set -euo pipefail

forbid() {
  local package=$1 pattern=$2 found
  found=$(cargo tree --package "$package" --edges normal --prefix none --format '{p}' --locked |
    cut -d' ' -f1 | sort -u | grep -E "^($pattern)\$" || true)
  if [ -n "$found" ]; then
    echo "$package must not link:" $found >&2
    return 1
  fi
}

forbid larkfire-ingest 'sqlx.*|reqwest|larkfire-worker|larkfire'
forbid larkfire-worker 'larkfire-ingest|larkfire'
# What people see knows neither the database nor Feishu: it asks through traits that the worker implements.
forbid larkfire-console 'sqlx.*|reqwest|lapin|larkfire-config|larkfire-queue.*|larkfire-ingest|larkfire-worker|larkfire'
for crate in model config queue runtime; do
  forbid "larkfire-$crate" 'sqlx.*|reqwest|larkfire-ingest|larkfire-worker|larkfire'
done
forbid larkfire-queue-sqlite 'reqwest|larkfire-ingest|larkfire-worker|larkfire'
# The domain knows nothing of how it travels.
forbid larkfire-model 'tokio|lapin|hyper|prometheus'
# What tests and measures is in no program; the simulation has its own broker, database and Feishu.
forbid larkfire 'simulation|feishu-sim|testkit|loadtest'
forbid simulation 'larkfire|feishu-sim|testkit'
forbid feishu-sim 'larkfire.*'
echo "crate directions hold"
