#!/usr/bin/env bash
# thirtyfour 0.38.1 (a WebDriver client), even without its default features and as a mere dev-dependency, turns on serde_json's
# feature preserve_order, and cargo unites features: in tests the members of a JSON object stand in the order they came in, in the
# program that is shipped they stand sorted. Seen: `cargo run` prints {"a":2,"b":1} and a test of the same function {"b":1,"a":2}.
# Whatever rests on the order (a signature, an identity, a golden file) is tested in another form than it is delivered in.
# Needs: cargo.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "probe"
version = "0.0.0"
edition = "2021"
[dependencies]
serde_json = "=1.0.154"
[dev-dependencies]
thirtyfour = { version = "=0.38.1", default-features = false }
TOML
cat > src/main.rs <<'RUST'
fn printed() -> String {
    let read: serde_json::Value = serde_json::from_str(r#"{"b":1,"a":2}"#).unwrap();
    read.to_string()
}

fn main() {
    println!("program: {}", printed());
}

#[test]
fn order() {
    println!("test: {}", printed());
}
RUST
echo "thirtyfour 0.38.1, serde_json 1.0.154, $(rustc --version)"
program=$(cargo run --quiet)
test=$(cargo test --quiet -- --nocapture | grep -o 'test: {.*}')
echo "$program"
echo "$test"
[ "$program" = 'program: {"a":2,"b":1}' ] && [ "$test" = 'test: {"b":1,"a":2}' ] || { echo "this has changed"; exit 1; }
