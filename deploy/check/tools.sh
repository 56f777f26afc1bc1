#!/usr/bin/env bash
# Puts what `make check-deploy` needs into .tools and .tools-checkov (git-ignored), in the pinned versions, from the registries that
# pip and npm are configured with. Does nothing while the pins are those it has installed.
set -euo pipefail
cd "$(dirname "$0")/../.."

for program in python3 node npm; do
  if ! command -v "$program" >/dev/null; then
    echo "please install $program, then run this again" >&2
    exit 1
  fi
done

# Installs into a folder by a command, unless it was done with the same pins.
once_for() {
  local folder=$1 pins=$2
  shift 2
  if [ -f "$folder/.pins" ] && cmp -s "$folder/.pins" <(cat $pins); then return; fi
  "$@"
  cat $pins >"$folder/.pins"
}

install_tools() {
  python3 -m venv --clear .tools
  .tools/bin/pip install --quiet --requirement deploy/check/requirements.txt &
  local pip=$!
  mkdir -p .tools/npm
  cp deploy/check/package.json .tools/npm/
  npm install --prefix .tools/npm --no-package-lock --no-audit --no-fund --silent
  wait "$pip"
}

install_checkov() {
  python3 -m venv --clear .tools-checkov
  .tools-checkov/bin/pip install --quiet --requirement deploy/check/requirements-checkov.txt
}

once_for .tools-checkov deploy/check/requirements-checkov.txt install_checkov &
checkov=$!
once_for .tools "deploy/check/requirements.txt deploy/check/package.json" install_tools
wait "$checkov"
