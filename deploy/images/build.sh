#!/usr/bin/env bash
# `make images`: builds localhost/larkfire:dev by deploy/Dockerfile with buildah, as root on Debian, without a registry of images: on
# bases made of Debian's packages, with the Rust toolchain and the crates of this machine. The first build takes ten minutes.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly PROFILE=${1:-dist}
readonly SUITE=bookworm

deploy/images/tools.sh buildah mmdebstrap
. deploy/images/debian.sh

debian_image "localhost/larkfire-build:$SUITE" "$SUITE" minbase gcc,libc6-dev,ca-certificates \
  --env PATH=/usr/local/cargo/bin:/usr/sbin:/usr/bin:/sbin:/bin --env CARGO_HOME=/cargo --env CARGO_NET_OFFLINE=true
debian_image "localhost/larkfire-base:$SUITE" "$SUITE" extract libc6,libgcc-s1

cargo_home=${CARGO_HOME:-$HOME/.cargo}
commit=$(git rev-parse HEAD)
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -1)
# The crates are brought up to what Cargo.lock names before the build, which then needs no network.
cargo fetch --quiet --locked
echo "== localhost/larkfire:dev, profile $PROFILE, commit $commit"
# In the format of docker: that of OCI has no place for a health check.
# A configuration of cargo that says where its crates come from decides under which name they lie.
configuration=()
if [ -f "$cargo_home/config.toml" ]; then configuration=(--volume "$cargo_home/config.toml:/cargo/config.toml:ro"); fi
nice -n 19 buildah build --format docker --file deploy/Dockerfile --tag localhost/larkfire:dev --pull=never \
  --build-arg BUILD_IMAGE="localhost/larkfire-build:$SUITE" --build-arg BASE_IMAGE="localhost/larkfire-base:$SUITE" \
  --build-arg PROFILE="$PROFILE" --build-arg GIT_COMMIT="$commit" --build-arg VERSION="$version" \
  --volume "$(rustc --print sysroot):/usr/local/cargo:ro" --volume "$cargo_home/registry:/cargo/registry" "${configuration[@]}" .
