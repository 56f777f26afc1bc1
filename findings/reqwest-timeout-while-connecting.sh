#!/usr/bin/env bash
# reqwest 0.13.5: a request whose `timeout` ends while it is still connecting fails with is_timeout() and NOT is_connect().
# Seen: against a listener whose backlog is full (the connection never comes about, no byte is sent) an error of
# `timeout(1s)` alone says is_connect=false, and one of `connect_timeout(500ms)` says is_connect=true. So whoever decides by
# is_connect() whether a POST may have arrived takes every connection that was too slow for one that may have: the
# connect timeout has to be shorter than the whole.
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
reqwest = { version = "=0.13.5", default-features = false }
tokio = { version = "=1.54.1", features = ["rt", "net", "time", "macros"] }
TOML
cat > src/main.rs <<'RUST'
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    // Nobody accepts: once the backlog is full the kernel answers no further connection.
    let mut full = Vec::new();
    while let Ok(Ok(stream)) =
        tokio::time::timeout(Duration::from_millis(300), tokio::net::TcpStream::connect(address)).await
    {
        full.push(stream);
        assert!(full.len() < 64, "the backlog never fills here");
    }
    let mut seen = Vec::new();
    for connect_timeout in [None, Some(Duration::from_millis(500))] {
        let mut client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(1));
        if let Some(time) = connect_timeout {
            client = client.connect_timeout(time);
        }
        let request = client.build().unwrap().post(format!("http://{address}/")).body("hello");
        let error = request.send().await.unwrap_err();
        println!(
            "connect_timeout {connect_timeout:?}: is_timeout={} is_connect={}",
            error.is_timeout(),
            error.is_connect()
        );
        seen.push((error.is_timeout(), error.is_connect()));
    }
    if seen != [(true, false), (true, true)] {
        println!("changed");
        std::process::exit(1);
    }
}
RUST
echo "reqwest 0.13.5, $(rustc --version)"
cargo run --quiet
