#!/usr/bin/env bash
# `make check-upgrade`: builds a fleet of an earlier commit and one of this tree, and replaces the one by the other under load, forward
# and back. FROM names the commit; without it, the newest one before migration 0019, so that the schemas differ.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly FIRST_NEWER=worker/src/migrations/0019_console.mysql.sql
from=${1:-$(git log -1 --format=%H --diff-filter=A -- "$FIRST_NEWER")^}
commit=$(git rev-parse "$from^{commit}")
target=${CARGO_TARGET_DIR:-target}
tree=$target/upgrade/tree

echo "== 1 of 3, $(date +%T): the programs of $(git log -1 --format='%h, %s' "$commit")"
rm -rf "$tree"
git worktree prune
git worktree add --quiet --detach "$tree" "$commit"
trap 'git worktree remove --force "$tree"' EXIT
# In a folder of their own, so that neither replaces the other's.
CARGO_TARGET_DIR=$(realpath "$target")/upgrade/target \
  cargo build --quiet --locked --manifest-path "$tree/Cargo.toml" --package larkfire-ingest --package larkfire-worker --bins
echo "== 2 of 3, $(date +%T): those of this tree"
cargo build --quiet --package larkfire-ingest --package larkfire-worker --package feishu-sim --bins
echo "== 3 of 3, $(date +%T): forward and back under load"
python3 deploy/check/upgrade.py --old "$target/upgrade/target/debug" --new "$target/debug"
