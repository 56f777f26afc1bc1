#!/usr/bin/env bash
# What MariaDB's own image does at its first start, as far as deploy/compose.yaml asks for it.
set -euo pipefail

mkdir -p /run/mysqld
chown mysql: /run/mysqld /var/lib/mysql
# Debian's package has made the system tables already, and a new volume begins with what the image has there.
if [ ! -d /var/lib/mysql/mysql ]; then
  mariadb-install-db --user=mysql --datadir=/var/lib/mysql --skip-test-db >/dev/null
fi
if [ ! -d "/var/lib/mysql/$MARIADB_DATABASE" ]; then
  mariadbd --user=mysql --bootstrap <<SQL
FLUSH PRIVILEGES;
CREATE USER $MARIADB_USER@'%' IDENTIFIED BY '$(cat "$MARIADB_PASSWORD_FILE")';
GRANT ALL ON $MARIADB_DATABASE.* TO $MARIADB_USER@'%';
CREATE DATABASE $MARIADB_DATABASE;
SQL
fi
exec mariadbd --user=mysql --bind-address=0.0.0.0
