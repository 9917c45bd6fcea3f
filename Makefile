# Every target sets up what it needs first. `make help` lists them.
CARGO ?= cargo
export CARGO
# Before each cargo and npm: finds those that setup.sh installed.
FIND := . scripts/env.sh &&
# In CI the lock file is what was tested.
LOCKED := $(if $(CI),--locked,)
FUZZ_SECONDS ?= 60

.DEFAULT_GOAL := help
.PHONY: help run install test lint unit bench bundle soak sweep fresh fuzz setup

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/:.*## /\t/' | expand -t 12

run: ## start the tray; without a display, see a practice runtime restart in a throw-away home
	@scripts/run.sh $(LOCKED)

install: ## build the command line and the program that ssh runs, and put them into ~/.cargo/bin
	@scripts/setup.sh run
	$(FIND) $(CARGO) install $(LOCKED) --path src-tauri/cli

setup:
	@scripts/setup.sh test
	@scripts/venv.sh
	@scripts/ui.sh

test: setup lint unit ## everything: lints, unit, property and end-to-end tests
	@echo 'make test: everything passed'

lint: ## formatting, clippy, the page's types and rules, shell scripts
	@scripts/setup.sh app
	@scripts/ui.sh
	$(FIND) $(CARGO) fmt --all --check
	$(FIND) $(CARGO) clippy $(LOCKED) --workspace --all-targets -- -D warnings
	$(FIND) $(CARGO) check $(LOCKED) --manifest-path fuzz/Cargo.toml
	$(FIND) npm --prefix ui run check
	$(FIND) npm --prefix ui test
	@if command -v shellcheck >/dev/null; then shellcheck scripts/*.sh .ci/run; fi

unit: setup
	scripts/test.sh

bench: ## time re-pointing and starting, weigh the tray, the proxy and the hub
	@scripts/setup.sh test
	@scripts/ui.sh
	$(FIND) $(CARGO) build $(LOCKED) --release -p moorline-cli -p moorline-app
	$(FIND) $(CARGO) build $(LOCKED) --release -p moorline-tests --bins
	$(FIND) $(CARGO) run $(LOCKED) --release -p moorline-tests --bin bench
	$(FIND) $(CARGO) run $(LOCKED) --release -p moorline-tests --bin bench_tray
	$(FIND) $(CARGO) run $(LOCKED) --release -p moorline-tests --bin bench_carry
	$(FIND) $(CARGO) run $(LOCKED) --release -p moorline-tests --bin bench_agent
	$(FIND) $(CARGO) run $(LOCKED) --release -p moorline-tests --bin bench_hub

soak: ## half an hour on a link that is slow and loses a fifth of its packets: nobody may be told of a drop
	@scripts/setup.sh test
	$(FIND) $(CARGO) build $(LOCKED) -p moorline-cli
	$(FIND) MOORLINE_SOAK_MINUTES=30 $(CARGO) test $(LOCKED) -p moorline-tests --test weather -- --exact \
		a_slow_and_lossy_link_is_no_drop --nocapture

sweep: setup ## hours: what `make test` takes samples of, in full
	NEXTEST_PROFILE=sweep MOORLINE_SAMPLE_EVERY=1 PROPTEST_CASES=10000 MOORLINE_SEQUENCES=200 scripts/test.sh --lib \
		--test crash --test properties --test kept_secrets

fresh: ## on Debian, as root: all that `make run` and `make test` say and do on a new machine
	scripts/try-fresh.sh

bundle: ## pack what is shipped: a Debian package, and an archive that runs from anywhere
	@scripts/setup.sh app
	@scripts/ui.sh
	$(FIND) $(CARGO) build $(LOCKED) --release -p moorline-cli -p moorline-app
	scripts/bundle.sh "$${CARGO_TARGET_DIR:-target}/release" target/bundle

fuzz: ## each parser for FUZZ_SECONDS (60); needs nightly Rust and cargo-fuzz
	@$(FIND) for target in $$($(CARGO) +nightly fuzz list); do \
		echo "fuzz $$target"; \
		$(CARGO) +nightly fuzz run "$$target" -- -max_total_time=$(FUZZ_SECONDS) || exit 1; \
	done
