#!/bin/bash
# sqlx 0.9.0 (MySQL pool, any TLS) with MariaDB 10.11: a connection that was dropped while a statement was under way is pinged
# on its way back to the pool, with no deadline, and takes its place in the pool meanwhile. Where a firewall has forgotten the
# connection nobody answers, so a pool of one stays empty (PoolTimedOut) although the server takes new connections, until
# the system gives the connection up (a quarter of an hour on Linux).
# Seen: a statement that is given up after 1 s; then no connection within 10 s, while a new one outside the pool takes milliseconds.
# Needs cargo and Debian's mariadb-server-core (not running); builds in TMPDIR, some minutes.
set -euo pipefail

work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; [ -z "$server" ] || wait "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir -p "$work/src"
cat >"$work/Cargo.toml" <<'TOML'
[package]
name = "pool"
version = "0.0.0"
edition = "2024"
[dependencies]
sqlx = { version = "=0.9.0", default-features = false, features = ["runtime-tokio", "mysql"] }
tokio = { version = "1", features = ["full"] }
TOML
cat >"$work/src/main.rs" <<'RUST'
use std::time::{Duration, Instant};
use sqlx::{Connection, Executor, MySqlConnection, mysql::MySqlPoolOptions};
use tokio::{io::copy_bidirectional, net::{TcpListener, TcpStream}, sync::watch, time::timeout};

#[tokio::main]
async fn main() {
    let server = std::env::args().nth(1).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("mysql://root@{}/", listener.local_addr().unwrap());
    let (forget, forgotten) = watch::channel(0_u32);
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let (server, mut forgotten) = (server.clone(), forgotten.clone());
            forgotten.mark_unchanged();
            tokio::spawn(async move {
                let mut server = TcpStream::connect(server).await.unwrap();
                tokio::select! {
                    _ = copy_bidirectional(&mut client, &mut server) => {}
                    // Both sockets stay open, and nobody reads them.
                    _ = forgotten.changed() => std::future::pending().await,
                }
            });
        }
    });
    let pool = MySqlPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(10)).connect(&url).await.unwrap();
    pool.execute("DO 0").await.unwrap();
    forget.send(1).unwrap();
    let first = timeout(Duration::from_secs(1), pool.execute("DO 0")).await;
    println!("a statement on the forgotten connection: {}", if first.is_err() { "given up after 1 s" } else { "done" });
    let then = pool.execute("DO 0").await;
    println!("the next one of the pool: {}", then.as_ref().map_or_else(|error| error.to_string(), |_| "done".to_owned()));
    let begun = Instant::now();
    MySqlConnection::connect(&url).await.unwrap();
    println!("a connection outside the pool, by the same way: after {:?}", begun.elapsed());
    std::process::exit(i32::from(!(first.is_err() && matches!(then, Err(sqlx::Error::PoolTimedOut)))));
}
RUST
cargo build --quiet --release --manifest-path "$work/Cargo.toml"

port=$((20000 + RANDOM % 10000))
mariadb-install-db --no-defaults --user="$(id -un)" --datadir="$work/data" --auth-root-authentication-method=normal >/dev/null
/usr/sbin/mariadbd --no-defaults --user="$(id -un)" --datadir="$work/data" --socket="$work/socket" --port=$port \
  --bind-address=127.0.0.1 --pid-file="$work/pid" >"$work/log" 2>&1 &
server=$!
for _ in $(seq 120); do (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.5; done
echo "version: sqlx $(sed -n '/name = "sqlx"/{n;s/version = //p}' "$work/Cargo.lock"), $(/usr/sbin/mariadbd --version)"
"$work/target/release/pool" "127.0.0.1:$port" || { echo "this has changed"; exit 1; }
