#!/usr/bin/env bash
# Makes sure that these are there: PACKAGE, with a program of the same name, or PACKAGE=FILE. On Debian what is missing is installed.
# As root.
set -euo pipefail

if [ "$(id -u)" -ne 0 ]; then
  echo "images of Debian's packages are made and run as root" >&2
  exit 1
fi
missing=()
for wanted in "$@"; do
  package=${wanted%%=*}
  command -v "${wanted#*=}" >/dev/null || missing+=("$package")
done
[ "${#missing[@]}" -gt 0 ] || exit 0
if ! command -v apt-get >/dev/null; then
  echo "please install, then run this again: ${missing[*]}" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}"
