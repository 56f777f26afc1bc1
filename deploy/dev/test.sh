#!/usr/bin/env bash
# Every test, against services that are started (`make test` starts them). The tests wait for what they test more than they compute,
# so two things go on beside them, out of their way: the simulation, and what `cargo run --release` builds: types too deep for the
# optimiser are one of its limits.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target"
beside=$target/beside-tests.log

say() { echo "== $(date +%T) test $1 of 3: $2"; }

say 1 "the binaries that tests start"
cargo build --workspace --bins
# A process group of its own, so that one signal ends all of it.
set -m
{
    # As step 1 has built it: for this package alone cargo would build everything below it once more, with fewer features.
    nice -n 19 "$target/debug/simulate" --seeds 2000 &&
        nice -n 19 cargo build --release
} > "$beside" 2>&1 &
besides=$!
set +m
trap 'kill -- -"$besides" 2> /dev/null || true' EXIT
say 2 "every test of every crate; beside them 2 000 seeds of the simulation, then what cargo run --release builds"
cargo test --workspace --no-fail-fast
say 3 "what went on beside the tests, if it is not over yet"
wait "$besides" || { cat "$beside"; exit 1; }
tail -n 1 "$beside"
