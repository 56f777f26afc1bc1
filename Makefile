# The same words locally and in CI: run, test, check, bench. `make` alone lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

.PHONY: help run test check bench services

help: ## List what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

run: ## Start the embedded Larkfire on 127.0.0.1:8080
	cargo run --release

services: ## Start (on Debian install, too) what the tests need: RabbitMQ, MariaDB, Alertmanager, promtool
	deploy/dev/services.sh

test: services ## Run every test, against the real services
	# What `cargo run --release` builds has limits of its own: types too deep for the optimiser, for one.
	cargo build --release
	cargo build --workspace --bins
	cargo test --workspace --no-fail-fast

check: ## Formatting, lints, docs, licences, crate directions
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet
	deploy/dev/crate_directions.sh
	deploy/dev/cargo_deny.sh

bench: services ## Measure everything (15 minutes), or SCENARIOS="storm steady"; see loadtest/README.md
	cargo run --release --package loadtest -- $(or $(SCENARIOS),all)
