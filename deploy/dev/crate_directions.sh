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
forbid larkfire-shared 'sqlx.*|reqwest|larkfire-ingest|larkfire-worker|larkfire'
forbid feishu-sim 'larkfire.*'
echo "crate directions hold"
