#!/usr/bin/env bash
# Makes the secrets of deploy/compose.yaml, each a file in deploy/compose/secrets, which git ignores. Passwords that are there stay;
# the webhook and the signing secret of a Feishu bot come from FEISHU_WEBHOOK_URL and FEISHU_SECRET, or are asked for.
set -euo pipefail
cd "$(dirname "$0")"

# The folder lets in nobody else. The files have to be readable by the user that each container runs as.
mkdir -p secrets
chmod 0700 secrets
umask 0022

is_missing() { [ ! -s "secrets/$1" ]; }

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

# From the environment, or else from whoever sits there.
wanted() {
  local value=${!1:-}
  if [ -z "$value" ] && [ -t 0 ]; then read -r -p "$2: " value; fi
  printf '%s' "$value"
}

if is_missing rabbitmq-user || is_missing amqp-url; then
  password=$(random)
  printf 'default_user = larkfire\ndefault_pass = %s\n' "$password" >secrets/rabbitmq-user
  printf 'amqp://larkfire:%s@rabbitmq:5672/%%2f' "$password" >secrets/amqp-url
fi
if is_missing mariadb-password || is_missing database-url; then
  password=$(random)
  printf '%s' "$password" >secrets/mariadb-password
  printf 'mysql://larkfire:%s@mariadb:3306/larkfire' "$password" >secrets/database-url
fi
# Without a newline: Alertmanager sends the file as it is.
if is_missing api-keys; then random >secrets/api-keys; fi
if is_missing grafana-password; then random >secrets/grafana-password; fi
if is_missing feishu-webhook; then wanted FEISHU_WEBHOOK_URL 'Webhook of the Feishu bot' >secrets/feishu-webhook; fi
if is_missing feishu-secret; then wanted FEISHU_SECRET 'Its signing secret' >secrets/feishu-secret; fi
for name in feishu-webhook feishu-secret; do
  if is_missing "$name"; then
    echo "deploy/compose/secrets/$name is empty: write it there before the start" >&2
    exit 1
  fi
done
echo "secrets are in $PWD/secrets"
