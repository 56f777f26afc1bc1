#!/usr/bin/env bash
# The bill of materials of `larkfire`, in CycloneDX: what is linked into it, with versions, licences and checksums. A release has it as
# larkfire-VERSION.cdx.json. Usage: sbom.sh [FILE]
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly VERSION=0.5.9
readonly FILE=${1:-${CARGO_TARGET_DIR:-target}/larkfire.cdx.json}

if ! cargo cyclonedx --version 2>/dev/null | grep -q "$VERSION"; then
  echo "installing cargo-cyclonedx (once, a few minutes)"
  # Not optimised: it runs for seconds.
  cargo install --locked --quiet --debug --force "cargo-cyclonedx@$VERSION"
fi
cargo cyclonedx --quiet --manifest-path standalone/Cargo.toml --format json --spec-version 1.5 --override-filename bom
mkdir -p "$(dirname "$FILE")"
mv standalone/bom.json "$FILE"
# It writes one beside every crate of ours.
find console ingest loadtest shared standalone worker -name bom.json -delete
echo "$FILE: $(grep -c '"bom-ref": "registry' "$FILE" || true) crates of others"
