# Every target sets up what it needs first. `make help` lists them.
CARGO ?= cargo
export CARGO
# In CI the lock file is what was tested.
LOCKED := $(if $(CI),--locked,)
FUZZ_SECONDS ?= 60

.DEFAULT_GOAL := help
.PHONY: help run install test lint unit bench bundle soak fuzz setup

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/:.*## /\t/' | expand -t 12

run: ## start the tray; without a display, see a practice runtime restart in a throw-away home
	@scripts/run.sh $(LOCKED)

install: ## build the command line and the program that ssh runs, and put them into ~/.cargo/bin
	@scripts/setup.sh run
	$(CARGO) install $(LOCKED) --path src-tauri/cli

setup:
	@scripts/setup.sh test
	@scripts/venv.sh
	@scripts/ui.sh

test: setup lint unit ## everything: lints, unit, property and end-to-end tests
	@echo 'make test: everything passed'

lint: setup ## formatting, clippy, the page's types and rules, shell scripts
	$(CARGO) fmt --all --check
	$(CARGO) clippy $(LOCKED) --workspace --all-targets -- -D warnings
	$(CARGO) check $(LOCKED) --manifest-path fuzz/Cargo.toml
	npm --prefix ui run check
	npm --prefix ui test
	@if command -v shellcheck >/dev/null; then shellcheck scripts/*.sh .ci/run; fi

unit: setup
	scripts/test.sh $(LOCKED)

bench: ## time re-pointing and starting, weigh the tray, the proxy and the hub
	@scripts/setup.sh test
	@scripts/ui.sh
	$(CARGO) build $(LOCKED) --release -p moorline-cli -p moorline-app
	$(CARGO) build $(LOCKED) --release -p moorline-tests --bins
	$(CARGO) run $(LOCKED) --release -p moorline-tests --bin bench
	$(CARGO) run $(LOCKED) --release -p moorline-tests --bin bench_tray
	$(CARGO) run $(LOCKED) --release -p moorline-tests --bin bench_carry
	$(CARGO) run $(LOCKED) --release -p moorline-tests --bin bench_agent
	$(CARGO) run $(LOCKED) --release -p moorline-tests --bin bench_hub

soak: ## half an hour on a link that is slow and loses a fifth of its packets: nobody may be told of a drop
	@scripts/setup.sh test
	$(CARGO) build $(LOCKED) -p moorline-cli
	MOORLINE_SOAK_MINUTES=30 $(CARGO) test $(LOCKED) -p moorline-tests --test weather -- --exact \
		a_slow_and_lossy_link_is_no_drop --nocapture

bundle: ## pack what is shipped: a Debian package, and an archive that runs from anywhere
	@scripts/setup.sh app
	@scripts/ui.sh
	$(CARGO) build $(LOCKED) --release -p moorline-cli -p moorline-app
	scripts/bundle.sh "$${CARGO_TARGET_DIR:-target}/release" target/bundle

fuzz: ## each parser for FUZZ_SECONDS (60); needs nightly Rust and cargo-fuzz
	@for target in $$($(CARGO) +nightly fuzz list); do \
		echo "fuzz $$target"; \
		$(CARGO) +nightly fuzz run "$$target" -- -max_total_time=$(FUZZ_SECONDS) || exit 1; \
	done
