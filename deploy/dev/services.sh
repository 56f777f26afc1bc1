#!/usr/bin/env bash
# Makes sure that what the tests talk to is there: RabbitMQ answering on 127.0.0.1:5672, and the binaries of
# Alertmanager and promtool. Installs on Debian and Ubuntu; elsewhere it says what is missing.
set -euo pipefail

readonly WAIT_SECONDS=60
readonly AMQP_PORT=5672

missing_packages() {
  command -v rabbitmq-server >/dev/null || echo rabbitmq-server
  command -v prometheus-alertmanager >/dev/null || echo prometheus-alertmanager
  command -v promtool >/dev/null || echo prometheus
}

install_missing() {
  local packages
  packages=$(missing_packages)
  [ -z "$packages" ] && return
  if ! command -v apt-get >/dev/null; then
    echo "please install, then run this again:" $packages >&2
    exit 1
  fi
  local as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
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

install_missing
start_rabbitmq
echo "services: RabbitMQ on 127.0.0.1:$AMQP_PORT, $(prometheus-alertmanager --version 2>&1 | head -1 | cut -d' ' -f1-3)"
