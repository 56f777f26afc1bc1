# The same words locally and in CI: run, test, check, bench. `make` alone lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

.PHONY: help run unit test check check-deploy check-rollout check-upgrade test-versions images check-images check-compose check-kube-play deb check-deb sbom simulate bench services

help: ## List what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 24

run: ## Start the embedded Larkfire on 127.0.0.1:8080
	cargo run --release

services: ## Start (on Debian install, too) what the tests need: RabbitMQ, MariaDB, PostgreSQL, Alertmanager, promtool, Chromium
	deploy/dev/services.sh

unit: ## Run what needs no service and starts no binary: a minute once it is built
	# Whatever asks for a database or a broker fails here: such tests stand outside `src`. Trying every order of what workers do
	# (`ledger::model`) takes minutes and is left to `make test`.
	TEST_MYSQL_URL=mysql://nobody@127.0.0.1:1 TEST_POSTGRES_URL=postgres://nobody@127.0.0.1:1/none TEST_AMQP_URL=amqp://127.0.0.1:1 \
		cargo test --quiet --workspace --lib -- --skip ledger::model

test: services ## Run every test, against the real services; says how far it is
	deploy/dev/test.sh

check: ## Formatting, lints, docs, licences, crate directions
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet
	deploy/dev/crate_directions.sh
	deploy/dev/cargo_deny.sh
	# The fuzz targets lock what they are built of for themselves: looked at without building them.
	cargo metadata --locked --format-version 1 --manifest-path ingest/fuzz/Cargo.toml >/dev/null

check-deploy: ## The Helm chart and the manifests, without a cluster; UPDATE=1 writes what is rendered from the chart
	# The programs say themselves whether they take the configurations that the chart renders.
	cargo build --workspace --bins
	deploy/check/tools.sh
	UPDATE=$(UPDATE) .tools/bin/python deploy/check/main.py --binaries $${CARGO_TARGET_DIR:-target}/debug

check-rollout: services ## As root: replace the chart's pods, as processes, under 500 alerts/s; nothing is refused or lost
	cargo build --workspace --bins
	deploy/check/tools.sh
	.tools/bin/python deploy/check/rollout.py --binaries $${CARGO_TARGET_DIR:-target}/debug

check-upgrade: services ## Replace a fleet of an earlier build by this one under load, and back; FROM=COMMIT names the build
	nice -n 10 deploy/check/upgrade.sh $(FROM)

test-versions: services ## As root, on Debian: the suites against the brokers and databases of other releases; half an hour
	deploy/images/tools.sh mmdebstrap
	cargo build --workspace --bins
	nice -n 10 python3 deploy/check/versions.py

images: ## As root, on Debian: build localhost/larkfire:dev without a registry of images; PROFILE=release is quicker than dist
	deploy/images/build.sh $(or $(PROFILE),dist)

check-images: ## As root, on Debian: run the image that `make images` has built, read-only and without capabilities
	deploy/images/tools.sh podman runc
	python3 deploy/images/check.py

check-compose: ## As root, on Debian: bring deploy/compose.yaml up with the image of `make images` and Debian's servers; 5 minutes
	cargo build --workspace --bins
	deploy/check/tools.sh
	deploy/images/servers.sh
	.tools/bin/python deploy/images/compose_check.py --binaries $${CARGO_TARGET_DIR:-target}/debug

check-kube-play: ## As root, on Debian: start what the chart renders by podman, with the image of `make images` and Debian's servers
	cargo build --package feishu-sim
	deploy/check/tools.sh
	deploy/images/servers.sh
	deploy/images/tools.sh catatonit
	.tools/bin/python deploy/images/kube_check.py --binaries $${CARGO_TARGET_DIR:-target}/debug

deb: ## The Debian package, by dpkg-deb; PROFILE=release is quicker than dist
	deploy/debian/build.sh $(or $(PROFILE),dist)

check-deb: ## As root, on Debian: install the package into a throw-away Debian, start what is in it, upgrade it, purge it
	deploy/images/tools.sh mmdebstrap
	python3 deploy/debian/check.py

sbom: ## The bill of materials of larkfire, as a release has it: target/larkfire.cdx.json
	deploy/dev/sbom.sh

simulate: ## Run the whole worker by seeds in simulated time: SEEDS=100000, FROM=1; see loadtest/simulation/README.md
	cargo run --release --package simulation -- --seeds $(or $(SEEDS),20000) --from $(or $(FROM),1)

bench: services ## Measure everything (15 minutes), or SCENARIOS="storm steady"; see loadtest/README.md
	# As images have them.
	cargo run --profile dist --package loadtest -- $(or $(SCENARIOS),all)
