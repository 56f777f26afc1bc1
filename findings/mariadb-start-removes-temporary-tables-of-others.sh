#!/usr/bin/env bash
# MariaDB 10.11.19 (Debian bookworm). A server that starts removes every file in its tmpdir whose name begins with #sql, also those of
# another server that runs there. The default tmpdir is TMPDIR or /tmp, which servers of one machine share, and so do the
# bootstraps of mariadb-install-db: two that begin at the same time can end with "Could not remove temporary table" and
# "Unknown table". Other files stay. A TMPDIR for each server is the way out.
# Needs: Debian's bookworm, apt-get, dpkg-deb, and the libraries of its package mariadb-server.
set -euo pipefail

version=1:10.11.19-0+deb12u1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -qq "mariadb-server-core=$version" 2> /dev/null || { echo "not $version: look again"; exit 1; }
dpkg-deb -x mariadb-server-core_*.deb unpacked
mkdir data shared
"$work/unpacked/usr/sbin/mariadbd" --version | sed 's/.*Ver /MariaDB /; s/ for .*//'

# As a running server names what it has on disk for a query.
touch shared/'#sql-temptable-1f-1-6.MAI' shared/'#sql-temptable-1f-1-6.MAD' shared/other.txt
user=()
[ "$(id -u)" -ne 0 ] || user=(--user=root)
echo 'SELECT 1;' | TMPDIR=$work/shared "$work/unpacked/usr/sbin/mariadbd" --no-defaults --bootstrap --datadir="$work/data" \
    --lc-messages-dir="$work/unpacked/usr/share/mysql" "${user[@]}" > out 2>&1 || { cat out; exit 1; }

echo "left in the shared tmpdir after a start: $(ls -A shared | tr '\n' ' ')"
[ "$(ls -A shared)" = other.txt ] || { echo "this has changed"; exit 1; }
