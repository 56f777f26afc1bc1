#!/usr/bin/env bash
# Makes sure that what the tests talk to is there: RabbitMQ answering on 127.0.0.1:5672, MariaDB on 127.0.0.1:3306
# with a root that needs no password, PostgreSQL on 127.0.0.1:5432 with the user "postgres" and that as its password,
# and the binaries of Alertmanager, promtool, systemd-analyze, Chromium and chromedriver. Installs on Debian and Ubuntu; elsewhere it says what is missing.
set -euo pipefail

readonly WAIT_SECONDS=60
readonly AMQP_PORT=5672
readonly MYSQL_PORT=3306
readonly POSTGRES_PORT=5432

as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)

chromedriver_package() {
  if grep -qs '^ID=ubuntu$' /etc/os-release; then echo chromium-chromedriver; else echo chromium-driver; fi
}

missing_packages() {
  command -v rabbitmq-server >/dev/null || echo rabbitmq-server
  command -v mariadbd >/dev/null || echo mariadb-server
  command -v pg_lsclusters >/dev/null || echo postgresql
  command -v prometheus-alertmanager >/dev/null || echo prometheus-alertmanager
  command -v promtool >/dev/null || echo prometheus
  command -v systemd-analyze >/dev/null || echo systemd
  # Brings the Chromium it belongs to; a chromedriver of another origin has a browser beside it.
  command -v chromedriver >/dev/null || chromedriver_package
}

install_missing() {
  local packages
  packages=$(missing_packages)
  [ -z "$packages" ] && return
  if ! command -v apt-get >/dev/null; then
    echo "please install, then run this again:" $packages >&2
    exit 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  "${as_root[@]}" apt-get update -qq
  # shellcheck disable=SC2086 # one word per package
  "${as_root[@]}" apt-get install -y -qq --no-install-recommends $packages
}

answers() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

start_rabbitmq() {
  if answers "$AMQP_PORT"; then return; fi
  rabbitmq-server -detached >/dev/null 2>&1
  for _ in $(seq "$WAIT_SECONDS"); do
    if answers "$AMQP_PORT"; then return; fi
    sleep 1
  done
  echo "RabbitMQ does not answer on 127.0.0.1:$AMQP_PORT after $WAIT_SECONDS s; see /var/log/rabbitmq" >&2
  exit 1
}

start_mariadb() {
  if ! answers "$MYSQL_PORT"; then
    "${as_root[@]}" mkdir -p /run/mysqld
    "${as_root[@]}" chown mysql: /run/mysqld
    "${as_root[@]}" start-stop-daemon --start --oknodo --background --exec "$(command -v mariadbd)" -- --user=mysql
  fi
  for _ in $(seq "$WAIT_SECONDS"); do
    if mariadb_as_tests -e 'SELECT 1' >/dev/null 2>&1; then return; fi
    # A server that was installed just now lets root in through its socket only.
    if answers "$MYSQL_PORT"; then
      "${as_root[@]}" mariadb -e "ALTER USER root@localhost IDENTIFIED VIA mysql_native_password USING ''" 2>/dev/null || true
    fi
    sleep 1
  done
  echo "MariaDB does not let root in on 127.0.0.1:$MYSQL_PORT without a password after $WAIT_SECONDS s;" \
    "set TEST_MYSQL_URL=mysql://user:password@host:port to use another server" >&2
  exit 1
}

mariadb_as_tests() {
  mariadb --no-defaults --protocol=tcp --host=127.0.0.1 --port="$MYSQL_PORT" --user=root "$@"
}

start_postgres() {
  local version cluster
  if ! answers "$POSTGRES_PORT"; then
    read -r version cluster _ < <(pg_lsclusters --no-header | tail -1)
    "${as_root[@]}" pg_ctlcluster "$version" "$cluster" start
  fi
  for _ in $(seq "$WAIT_SECONDS"); do
    if postgres_as_tests -c 'SELECT 1' >/dev/null 2>&1; then return; fi
    # A server that was installed just now wants a password, and its own user has none.
    "${as_root[@]}" runuser -u postgres -- \
      psql --no-psqlrc --port="$POSTGRES_PORT" -c "ALTER ROLE postgres PASSWORD 'postgres'" >/dev/null 2>&1 || true
    sleep 1
  done
  echo "PostgreSQL does not let postgres in on 127.0.0.1:$POSTGRES_PORT with the password postgres after" \
    "$WAIT_SECONDS s; set TEST_POSTGRES_URL=postgres://user:password@host:port/database to use another server" >&2
  exit 1
}

postgres_as_tests() {
  PGPASSWORD=postgres psql --no-psqlrc --host=127.0.0.1 --port="$POSTGRES_PORT" --username=postgres --dbname=postgres "$@"
}

install_missing
start_rabbitmq
[ -n "${TEST_MYSQL_URL:-}" ] || start_mariadb
[ -n "${TEST_POSTGRES_URL:-}" ] || start_postgres
echo "services: RabbitMQ on 127.0.0.1:$AMQP_PORT, MariaDB on 127.0.0.1:$MYSQL_PORT, PostgreSQL on 127.0.0.1:$POSTGRES_PORT, $(prometheus-alertmanager --version 2>&1 | head -1 | cut -d' ' -f1-3), $(chromedriver --version | cut -d' ' -f1-2)"
