#!/bin/bash
# MariaDB 10.11.19 (Debian bookworm) cuts the digits of a time that a column has no room for; MySQL 9.7.4 (Debian sid) and PostgreSQL 15
# (bookworm) round. So a time of nanoseconds that is written as text into microseconds is later than it was by up to half of
# one on two of the three, and may begin another second, day or year: whoever compares it with what was kept elsewhere, or asks for
# everything up to that time, finds it on one database and not on another.
# Seen: '2026-12-31 23:59:59.9999999' with 6 digits is 2026-12-31 23:59:59.999999 in MariaDB, 2027-01-01 00:00:00 in the others.
# Needs root (a throw-away root is made with mmdebstrap, as a package of the system), apt-get, the libraries of Debian's packages
# mariadb-server and postgresql-15, some 800 MB in TMPDIR and a minute.
set -euo pipefail

work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; [ -z "$server" ] || wait "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
chmod 755 "$work"
time=2026-12-31\ 23:59:59.9999999
cast="CAST('$time' AS DATETIME(6))"

cd "$work"
apt-get download -qq mariadb-server-core=1:10.11.19-0+deb12u1 postgresql-15 2> /dev/null
for package in mariadb-server-core postgresql-15; do dpkg-deb -x "$package"_*.deb "$package"; done
mkdir maria
"$work/mariadb-server-core/usr/sbin/mariadbd" --version | sed 's/.*Ver /MariaDB /; s/ for .*//'
# Statements of a bootstrap answer nothing: what is written is read from the file.
user=()
[ "$(id -u)" -ne 0 ] || user=(--user=root)
printf '%s\n' "SELECT $cast INTO OUTFILE '$work/maria/said';" | TMPDIR=$work "$work/mariadb-server-core/usr/sbin/mariadbd" \
  --no-defaults --bootstrap --datadir="$work/maria" --lc-messages-dir="$work/mariadb-server-core/usr/share/mysql" "${user[@]}" > out 2>&1 ||
  { cat out; exit 1; }
maria=$(cat maria/said)
echo "MariaDB: $maria"

postgres=$work/postgresql-15/usr/lib/postgresql/15
"$postgres/bin/postgres" --version
install -d -o nobody pg
as_nobody() { setpriv --reuid=nobody --clear-groups -- "$@"; }
as_nobody "$postgres/bin/initdb" --pgdata="$work/pg" -L /usr/share/postgresql/15 > out 2>&1 || { cat out; exit 1; }
postgresql=$(echo "SELECT '$time'::timestamp(6) AS said" |
  as_nobody "$postgres/bin/postgres" --single -D "$work/pg" postgres 2> /dev/null | sed -n 's/.*said = "\([^"]*\)".*/\1/p')
echo "PostgreSQL: $postgresql"

mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m1 '/debian/$')
mmdebstrap --quiet --variant=minbase --aptopt='Acquire::Check-Valid-Until "false"' \
  --include=mysql-server-core,mysql-client-core sid "$work/tree" "$mirror"
inside() { chroot --userspec=nobody:nogroup "$work/tree" "$@"; }
install -d -m 777 "$work/tree/data"
inside /usr/sbin/mysqld --no-defaults --initialize-insecure --datadir=/data/db 2> /dev/null
inside /usr/sbin/mysqld --no-defaults --secure-file-priv= --datadir=/data/db --skip-networking --mysqlx=OFF \
  --socket=/data/socket --pid-file=/data/pid > "$work/log" 2>&1 &
server=$!
sql() { inside mysql --no-defaults -S /data/socket -uroot -N "$@" 2>&1; }
for _ in $(seq 120); do sql -e 'DO 0' > /dev/null && break; sleep 0.5; done
echo "MySQL $(sql -e 'SELECT VERSION()')"
mysql=$(sql -e "SELECT $cast")
echo "MySQL: $mysql"

[ "$maria" = '2026-12-31 23:59:59.999999' ] && [ "$mysql" = '2027-01-01 00:00:00.000000' ] &&
  [ "$postgresql" = '2027-01-01 00:00:00' ] || { echo "this has changed"; exit 1; }
