#!/bin/bash
# MySQL 9.7.4 (Debian sid): MD5(), SHA1() and SHA() are gone. They fail like an unknown function of one's own, with error
# 1305 "FUNCTION db.SHA1 does not exist", and with no database selected with 1046, so that the cause is not seen.
# Seen: SHA2() and CRC32() go on working. MariaDB 10.11 and 11.8 have all of them.
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
install -d -m 777 "$work/tree/data"
inside /usr/sbin/mysqld --no-defaults --initialize-insecure --datadir=/data/db 2>/dev/null
inside /usr/sbin/mysqld --no-defaults --secure-file-priv= --datadir=/data/db --skip-networking --mysqlx=OFF \
  --socket=/data/socket --pid-file=/data/pid >"$work/log" 2>&1 &
server=$!
sql() { inside mysql --no-defaults -S /data/socket -uroot -N "$@" 2>&1; }
for _ in $(seq 120); do sql -e 'DO 0' >/dev/null && break; sleep 0.5; done

version=$(sql -e 'SELECT VERSION()')
echo "version: $version"
sql -e 'CREATE DATABASE db'
said=
for function in "MD5('a')" "SHA1('a')" "SHA('a')" "SHA2('a', 256)" "CRC32('a')"; do
  answer=$(sql db -e "SELECT $function" || true)
  echo "$function: $answer"
  said+="$answer;"
done
without=$(sql -e "SELECT SHA1('a')" || true)
echo "SHA1('a') with no database selected: $without"
expected="ERROR 1305 (42000) at line 1: FUNCTION db.MD5 does not exist;ERROR 1305 (42000) at line 1: FUNCTION db.SHA1 does not exist;\
ERROR 1305 (42000) at line 1: FUNCTION db.SHA does not exist;\
ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb;3904355907;"
[ "$said" = "$expected" ] && [[ $without == *"ERROR 1046"* ]] || { echo "this has changed"; exit 1; }
