#!/usr/bin/env bash
# Every test, against services that are started (`make test` starts them). The tests wait for what they test more than they compute,
# so what `cargo run --release` builds is built beside them, out of their way: types too deep for the optimiser are one of its limits.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target"
built=$target/release-build.log

say() { echo "== $(date +%T) test $1 of 4: $2"; }

say 1 "the binaries that tests start"
cargo build --workspace --bins
nice -n 19 cargo build --release > "$built" 2>&1 &
release=$!
trap 'kill "$release" 2> /dev/null || true' EXIT
say 2 "every test of every crate, and beside them what cargo run --release builds"
cargo test --workspace --no-fail-fast
say 3 "2 000 seeds of the simulation"
# As step 1 has built it: for this package alone cargo would build everything below it once more, with fewer features.
"$target/debug/simulate" --seeds 2000
say 4 "the release build, if it is not over yet"
wait "$release" || { cat "$built"; exit 1; }
tail -n 1 "$built"
