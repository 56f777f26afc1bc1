#!/usr/bin/env bash
# The image of the servers that `make check-compose` brings up: all of them in one, from Debian's packages. As root, on Debian.
set -euo pipefail
cd "$(dirname "$0")/../.."

# What stands after podman and its runtime is what its networks, and the names in them, are made of.
deploy/images/tools.sh buildah mmdebstrap podman runc iptables dnsmasq-base=dnsmasq \
  containernetworking-plugins=/usr/lib/cni/bridge golang-github-containernetworking-plugin-dnsname=/usr/lib/cni/dnsname
. deploy/images/debian.sh
debian_image localhost/larkfire-servers:trixie trixie minbase \
  rabbitmq-server,mariadb-server,prometheus-alertmanager,prometheus
