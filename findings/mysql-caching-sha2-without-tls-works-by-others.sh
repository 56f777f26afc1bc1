#!/bin/bash
# MySQL 9.7.4 (Debian sid), users of caching_sha2_password, which is the default: without TLS a client that brings no RSA
# is refused (2061), until some other client logs in as the same user under TLS; then it is let in, for as long as the
# server remembers. A restart of the server, or FLUSH PRIVILEGES, and it is refused again.
# Seen: refused, let in after the other one, refused after FLUSH PRIVILEGES.
# Needs root (a throw-away root is made with mmdebstrap, as a package of the system), some 700 MB in TMPDIR and a minute.
set -euo pipefail

work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; [ -z "$server" ] || wait "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
chmod 755 "$work"
# The mirror this machine uses itself.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m1 '/debian/$')
mmdebstrap --quiet --variant=minbase --aptopt='Acquire::Check-Valid-Until "false"' \
  --include=mysql-server-core,mysql-client-core sid "$work/tree" "$mirror"

inside() { chroot --userspec=nobody:nogroup "$work/tree" "$@"; }
port=$((20000 + RANDOM % 10000))
install -d -m 777 "$work/tree/data"
inside /usr/sbin/mysqld --no-defaults --initialize-insecure --datadir=/data/db 2>/dev/null
inside /usr/sbin/mysqld --no-defaults --secure-file-priv= --datadir=/data/db --bind-address=127.0.0.1 --port=$port \
  --mysqlx=OFF --socket=/data/socket --pid-file=/data/pid >"$work/log" 2>&1 &
server=$!
root() { inside mysql --no-defaults -S /data/socket -uroot -N -e "$1"; }
for _ in $(seq 120); do root 'DO 0' >/dev/null 2>&1 && break; sleep 0.5; done
echo "version: $(root 'SELECT VERSION()')"
root "CREATE USER u@'%' IDENTIFIED BY 'secret'"

log_in() { MYSQL_PWD=secret inside mysql --no-defaults -h127.0.0.1 -P$port -uu -N --ssl-mode="$1" -e "SELECT 'let in'" 2>&1 || true; }
first=$(log_in DISABLED)
other=$(log_in REQUIRED)
second=$(log_in DISABLED)
root 'FLUSH PRIVILEGES'
third=$(log_in DISABLED)
printf '%s\n' "without TLS: $first" "another client, under TLS: $other" "without TLS: $second" "after FLUSH PRIVILEGES: $third"
[[ $first == *"ERROR 2061"* && $other == "let in" && $second == "let in" && $third == *"ERROR 2061"* ]] || { echo "this has changed"; exit 1; }
