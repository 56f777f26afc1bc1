#!/usr/bin/env bash
# Licences, bans and sources of everything linked. The advisory list needs the internet: the public CI checks it.
set -euo pipefail

if ! cargo deny --version >/dev/null 2>&1; then
  echo "installing cargo-deny (once, a few minutes)"
  # Not optimised: it runs for seconds, and optimising it takes minutes.
  cargo install cargo-deny --locked --quiet --debug
fi
cargo deny --all-features check --hide-inclusion-graph licenses bans sources
