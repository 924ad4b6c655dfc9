# `make run-job` runs a real batch; `make test` runs all tests; `make check` is what has to hold before a commit.

CARGO ?= cargo
BIN := $(or $(CARGO_TARGET_DIR),target)/release/job-manager
# All features but libpq from its sources, which takes OpenSSL's headers and links the same; without PostgreSQL where there is no libpq to link.
comma := ,
HAS_LIBPQ := $(shell pkg-config --exists libpq 2>/dev/null || pg_config --libdir 2>/dev/null >&2 && echo yes)
FEATURES := --features async,crash-points,parquet$(if $(HAS_LIBPQ),$(comma)postgres)
# Every tracked file of this repository, compressed at best and verified, unless told otherwise.
OUT := target/run-job
GLOB ?=
CMD ?= sh -c 'mkdir -p "$(OUT)/$$(dirname "$$1")" && gzip -9c "$$1" > "$(OUT)/$$1.gz" && gzip -t "$(OUT)/$$1.gz"' sh {}

.PHONY: run-job bundle test test-postgres test-thorough soak bench bench-postgres bench-instructions check fmt lint deny doc clean

run-job:
	$(CARGO) build --release
	@mkdir -p $(OUT)
	@if [ -n "$(GLOB)" ]; then set -- --glob '$(GLOB)'; else git ls-files -z > $(OUT)/files; set -- --lines $(OUT)/files --null; fi; \
	$(BIN) --db $(OUT)/jobs.db run --name run-job "$$@" -- $(CMD)
	@$(BIN) --db $(OUT)/jobs.db status
	@echo "results: $(OUT)/"

# The MCP server as a bundle that a host installs in one step; docs/mcp.md.
bundle:
	$(CARGO) build --release
	python3 packaging/mcpb/bundle.py $(BIN) target/job-manager.mcpb

# All parts run, and a failure in one fails the whole at the end. Tests that cannot run here, because a tool or a right is
# missing, are counted and named then.
SKIPPED := $(CURDIR)/target/skipped-tests
test:
	@mkdir -p $(dir $(SKIPPED)) && rm -f $(SKIPPED); export JM_TEST_SKIPPED=$(SKIPPED); \
	$(if $(HAS_LIBPQ),,echo "the feature postgres and its tests: no libpq" >>$(SKIPPED);) \
	code=0; \
	if $(CARGO) nextest --version >/dev/null 2>&1; then \
		$(CARGO) nextest run $(FEATURES) --no-fail-fast || code=$$?; $(CARGO) test $(FEATURES) --doc || code=$$?; \
	else $(CARGO) test $(FEATURES) --no-fail-fast || code=$$?; fi; \
	if [ -s $(SKIPPED) ]; then sort -u -o $(SKIPPED) $(SKIPPED); echo "$$(wc -l <$(SKIPPED)) skipped here:"; cat $(SKIPPED); fi; exit $$code

# The command line's tests with their jobs on a PostgreSQL server, and what every store must do on one. Those that are about a
# file are left out by name. The server is the newest installed, or the one whose programs are in JM_TEST_POSTGRES.
ON_SERVER := $(CURDIR)/target/tests-on-server
THREADS ?= 4
test-postgres:
	$(if $(HAS_LIBPQ),,$(error no libpq: the feature postgres cannot be built))
	@mkdir -p $(dir $(SKIPPED)) && rm -f $(SKIPPED) $(ON_SERVER); \
	export JM_TEST_SKIPPED=$(SKIPPED) JM_TEST_ON_SERVER=$(ON_SERVER) JM_TEST_STORE=postgres; code=0; \
	if $(CARGO) nextest --version >/dev/null 2>&1; then \
		$(CARGO) nextest run $(FEATURES) --no-fail-fast -j $(THREADS) -E 'kind(lib) & test(postgres) | binary(it)' || code=$$?; \
	else $(CARGO) test $(FEATURES) --lib postgres -- --test-threads=$(THREADS) || code=$$?; \
		$(CARGO) test $(FEATURES) --test it -- --test-threads=$(THREADS) || code=$$?; fi; \
	touch $(ON_SERVER) $(SKIPPED); sort -u -o $(ON_SERVER) $(ON_SERVER); sort -u -o $(SKIPPED) $(SKIPPED); \
	cat $(SKIPPED); echo "$$(wc -l <$(ON_SERVER)) tests on a server, $$(grep -c 'needs a file' $(SKIPPED)) left out"; exit $$code

# The loops over kills, power cuts and simultaneous starts at their full length, on a release build.
test-thorough:
	JM_TEST_THOROUGH=1 $(CARGO) test --release --test it -- --nocapture --test-threads=1 \
		killed_at_random killed_at_any without_space_at_any on_a_bad_disk fault_14 fault_56 fault_60 fault_61 gnu_parallel

# Every verb from six processes at once, with SEEDS seeds of SECONDS each, then random crashes, stops, full disks and
# clock steps over many jobs for MINUTES, then HOSTS machines with jobs of UNITS units each and a server, all of which fail, for
# KILL_MINUTES.
MINUTES ?= 5
SEEDS ?= 20
SECONDS ?= 90
KILL_MINUTES ?= 20
HOSTS ?= 8
UNITS ?= 20000
soak:
	JM_TEST_SEEDS=$(SEEDS) JM_TEST_SECONDS=$(SECONDS) MINUTES=$(MINUTES) JM_TEST_KILL_MINUTES=$(KILL_MINUTES) JM_TEST_HOSTS=$(HOSTS) \
	JM_TEST_UNITS=$(UNITS) $(CARGO) test $(FEATURES) --test it -- --ignored --exact driver::every_verb_for_many_seeds \
		soak::soak kill_loop::soak --nocapture --test-threads=1

# Our speed beside the limits of this machine and beside other libraries, in one run; docs/benchmarks.md explains the rows.
PEERS := $(CURDIR)/target/peers
bench:
	for peer in effectum apalis; do (cd benches/peers/$$peer && CARGO_TARGET_DIR=$(PEERS) $(CARGO) build --release --locked --quiet) || exit; done
	PEERS=$(PEERS)/release $(CARGO) bench --quiet --bench ratios

# The same on a PostgreSQL server, beside that server's own limits and, where npm and Python are installed, beside other queues.
bench-postgres:
	mkdir -p $(PEERS)/postgres && cp benches/peers/postgres/* $(PEERS)/postgres/
	cd $(PEERS)/postgres && npm install --silent --no-package-lock --no-audit --no-fund && \
		{ [ -d venv ] || python3 -m venv venv; } && venv/bin/pip install -q -r requirements.txt || rm -rf $(PEERS)/postgres
	[ ! -d $(PEERS)/postgres ] || export PEERS=$(PEERS)/postgres; $(CARGO) bench --quiet --features postgres --bench postgres

# Bounds on the instructions that single operations take; needs valgrind.
bench-instructions:
	$(CARGO) bench --quiet --bench instructions

check: fmt lint deny doc test

fmt:
	$(CARGO) fmt --check

lint:
	$(CARGO) clippy --all-targets $(FEATURES) -- -D warnings
	$(CARGO) clippy --no-default-features --features sqlite,bundled -- -D warnings

# Licences, advisories and sources of the dependencies, where the tool for it is installed.
deny:
	@if $(CARGO) deny --version >/dev/null 2>&1; then $(CARGO) deny check bans licenses sources; else echo "cargo-deny is not installed, skipped"; fi

doc:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc $(FEATURES) --no-deps --document-private-items

clean:
	$(CARGO) clean
