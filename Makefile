# Every target sets up what it needs first. `make help` lists them.
CARGO ?= cargo
export CARGO
# In CI the lock file is what was tested.
LOCKED := $(if $(CI),--locked,)
FUZZ_SECONDS ?= 60

.DEFAULT_GOAL := help
.PHONY: help run install test lint unit bench fuzz setup

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/:.*## /\t/' | expand -t 12

run: ## start the tray; without a display, see a practice runtime restart in a throw-away home
	@scripts/run.sh $(LOCKED)

install: ## build the command line and put it into ~/.cargo/bin
	@scripts/setup.sh run
	$(CARGO) install $(LOCKED) --path src-tauri/cli

setup:
	@scripts/setup.sh test
	@scripts/venv.sh
	@scripts/ui.sh

test: setup lint unit ## everything: lints, unit, property and end-to-end tests
	@echo 'make test: everything passed'

lint: setup ## formatting, clippy, the page's types, shell scripts
	$(CARGO) fmt --all --check
	$(CARGO) clippy $(LOCKED) --workspace --all-targets -- -D warnings
	$(CARGO) check $(LOCKED) --manifest-path fuzz/Cargo.toml
	npm --prefix ui run check
	@if command -v shellcheck >/dev/null; then shellcheck scripts/*.sh .ci/run; fi

unit: setup
	scripts/test.sh $(LOCKED)

bench: ## time re-pointing against ssh-keygen -R, the program's start against ssh, weigh the tray, and several connections over one
	@scripts/setup.sh test
	@scripts/ui.sh
	$(CARGO) build $(LOCKED) --release -p moorline-cli -p moorline-app
	$(CARGO) run $(LOCKED) --release -p moorline-tests --bin bench
	$(CARGO) run $(LOCKED) --release -p moorline-tests --bin bench_tray
	$(CARGO) run $(LOCKED) --release -p moorline-tests --bin bench_hub

fuzz: ## each parser for FUZZ_SECONDS (60); needs nightly Rust and cargo-fuzz
	@for target in $$($(CARGO) +nightly fuzz list); do \
		echo "fuzz $$target"; \
		$(CARGO) +nightly fuzz run "$$target" -- -max_total_time=$(FUZZ_SECONDS) || exit 1; \
	done
