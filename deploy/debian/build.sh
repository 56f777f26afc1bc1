#!/usr/bin/env bash
# `make deb`: target/debian/larkfire_VERSION-1_ARCHITECTURE.deb, by dpkg-deb alone. BUILT=yes packs what the profile has built before;
# the profile `dev` is for trying the package out.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly PROFILE=${1:-dist}
readonly NAMES=(larkfire larkfire-ingest larkfire-worker)
target=${CARGO_TARGET_DIR:-target}
built=$target/$PROFILE
[ "$PROFILE" != dev ] || built=$target/debug

if [ "${BUILT:-}" != yes ]; then
  # With cargo-auditable, which releases are built with, the binary says what it was built of.
  build=(build)
  ! cargo auditable --version >/dev/null 2>&1 || build=(auditable build)
  cargo "${build[@]}" --locked --profile "$PROFILE" --package larkfire --bin larkfire
fi

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 0755 "$root"
docs=$root/usr/share/doc/larkfire

# One program, which goes by the name it is called by.
install -D --strip --target-directory="$root/usr/bin" "$built/larkfire"
ln --symbolic larkfire "$root/usr/bin/larkfire-ingest"
ln --symbolic larkfire "$root/usr/bin/larkfire-worker"
install -D --mode=0644 --target-directory="$root/usr/lib/systemd/system" deploy/systemd/*.service
install -D --mode=0644 --target-directory="$root/etc/larkfire" deploy/debian/larkfire.yaml
install --mode=0640 --target-directory="$root/etc/larkfire" deploy/debian/*.env
install -D --mode=0644 --target-directory="$docs" README.md CHANGELOG.md docs/configuration.md docs/deployment.md docs/operations.md
install --mode=0644 LICENSE "$docs/copyright"
mkdir -p "$root/usr/share/man/man1" "$root/usr/share/bash-completion/completions"
for name in "${NAMES[@]}"; do
  "$root/usr/bin/$name" man | gzip -9n >"$root/usr/share/man/man1/$name.1.gz"
  "$root/usr/bin/$name" completions bash >"$root/usr/share/bash-completion/completions/$name"
done

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -1)
architecture=$(dpkg --print-architecture)
# The newest symbol of the C library that it was linked with says which one it needs.
needed=$(objdump -T "$root/usr/bin/larkfire" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -1)
mkdir "$root/DEBIAN"
install --mode=0755 deploy/debian/postinst deploy/debian/prerm deploy/debian/postrm "$root/DEBIAN"
(cd "$root" && find etc -type f -printf '/%p\n' | sort) >"$root/DEBIAN/conffiles"
cat >"$root/DEBIAN/control" <<CONTROL
Package: larkfire
Version: $version-1
Architecture: $architecture
Maintainer: Larkfire maintainers <larkfire@localhost>
Depends: libc6 (>= ${needed#GLIBC_}), libgcc-s1, adduser, ca-certificates
Section: net
Priority: optional
Installed-Size: $(du -sk "$root" | cut -f1)
Description: tells Feishu and Lark of alerts
 Takes alerts from Alertmanager, Grafana and anything that can POST JSON, queues
 them durably, and tells people in Feishu (Lark). larkfire is everything in one
 process; larkfire-ingest and larkfire-worker are its two roles on RabbitMQ.
CONTROL
mkdir -p "$target/debian"
dpkg-deb --root-owner-group -Zxz --build "$root" "$target/debian/larkfire_$version-1_$architecture.deb"
