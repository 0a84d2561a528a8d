# GX Protocol. `make help` lists what there is; `make run` and `make test` are all a newcomer needs.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Containers often forbid it; but a stack is ten processes, and each would compile everything anew.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup fabric prometheus3 run down demo fmt lint types imports dead-code security audit test test-fast check generate fresh bench soak bench-fabric invariants previous-release chaos planted-bugs fuzz-api proof proof-reachability console console-check screenshots lock clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk 'BEGIN {FS = ":.*## "} {printf "  make %-19s %s\n", $$1, $$2}'

setup: $(STAMP) ## Install everything that running and testing need, into .venv
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "GX Protocol needs Python 3.11 or newer; '$(PYTHON)' is older. Try: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) \
	  || { echo "Python's venv module is missing. On Debian: apt-get install python3-venv"; exit 1; }
	@echo "Installing into $(VENV), once; about a minute, most of it spent on downloads:"
	@$(BIN)/python -m pip install --progress-bar on --disable-pip-version-check -c constraints.txt -e '.[local,dev]'
	@touch $@

fabric: setup ## Build Hyperledger Fabric's programs with Go, once, into a cache outside the checkout
	@nice $(BIN)/gx fabric install

run: setup ## Start the whole stack on loopback; Ctrl-C stops it (ARGS="--demo" sends a little traffic; LEDGER=fabric)
	@$(if $(filter fabric,$(LEDGER)),nice $(BIN)/gx fabric install)
	@$(BIN)/gx up $(if $(LEDGER),--ledger $(LEDGER)) $(ARGS)

down: setup ## Stop a stack that runs in another terminal
	@$(BIN)/gx down

fmt: setup ## Format the code
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix --quiet .

lint: setup ## Check style and forbidden constructs
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check .

types: setup ## Check types, strictly
	@$(BIN)/mypy

imports: setup ## Check that folders import only what the architecture allows
	@$(BIN)/lint-imports

dead-code: setup ## Look for unused code and undeclared dependencies
	@$(BIN)/vulture && $(BIN)/deptry src

security: setup ## Look for insecure constructs, as ruff's S rules do with other eyes
	@$(BIN)/bandit -c pyproject.toml -r src -q

# No part of `check`: advisories come from PyPI, and without them pip-audit skips every package.
# --strict turns that into a failure, where plain pip-audit would call it "no known vulnerabilities".
AUDIT := .cache/audit
audit: ## Compare the pinned packages with PyPI's advisories (needs PyPI itself, not a mirror)
	@test -x $(AUDIT)/bin/pip-audit || { $(PYTHON) -m venv $(AUDIT) \
	  && $(AUDIT)/bin/pip install --quiet --disable-pip-version-check pip-audit==2.10.1; }
	@$(AUDIT)/bin/pip-audit --strict --no-deps --disable-pip -r constraints.txt

GENERATED := docs/reference docs/runbooks k8s compose
generate: setup ## Write every generated file anew
	@$(BIN)/gx openapi --output docs/reference/openapi.json
	@$(BIN)/gx openapi --each-area docs/reference/openapi
	@$(BIN)/gx catalogue --output docs/reference/catalogue.md
	@$(BIN)/gx access --output docs/reference/access.md
	@$(BIN)/gx settings --output docs/reference/settings.md
	@$(BIN)/gx monitoring render
	@$(BIN)/gx monitoring reference --output docs/reference/monitoring.md

fresh: generate ## Check that the committed generated files are what their generators write
	@git diff --exit-code --stat -- $(GENERATED) && test -z "$$(git ls-files --others --exclude-standard -- $(GENERATED))" \
	  || { echo "generated files are stale: run 'make generate' and commit"; exit 1; }

# A machine without Node.js runs the committed page; only whoever changes it needs to build it.
PAGE_TOOLS := console/node_modules/.package-lock.json
$(PAGE_TOOLS): console/package-lock.json console/package.json
	@cd console && npm ci --no-fund --no-audit --loglevel=error

console: $(PAGE_TOOLS) ## Build the console's page anew (needs Node.js)
	@cd console && npm run --silent format && npm run --silent build

console-check: ## Check the console's page: types, style, units, and that the committed build is its sources'
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(PAGE_TOOLS) && cd console && npm run --silent check; \
	elif [ -n "$$CI" ]; then echo "console: CI needs Node.js 20 and npm" >&2; exit 1; \
	else echo "console: not checked, there is no npm here"; fi

screenshots: setup $(PAGE_TOOLS) ## Make the pictures of the console in docs/images (needs Chromium)
	@$(BIN)/python -m tests.browser.screenshots $(ARGS)

# Two at a time, the longest first; what each says is shown when it has ended.
CHECKS := types fresh console-check lint imports dead-code security
check: setup ## Everything that needs no running system
	@$(MAKE) --no-print-directory -j2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) $(CHECKS)

test: check ## Everything: checks, units, conformance, end-to-end, chaos and drills on the real parts
	@nice $(BIN)/gx fabric install --optional
	@$(BIN)/python -m pytest -n 3 --dist loadgroup --durations=60
	@$(BIN)/gx drill --backend --again

test-fast: setup ## Only the tests that take less than two seconds each
	@$(BIN)/python -m pytest -n 2 -m "not slow" -q

# Debian's Prometheus is 2.42 and has no Kubernetes discovery; upstream's current one comes from Go's module proxy.
PROMETHEUS3 := .cache/prometheus3
prometheus3: setup ## Build Prometheus 3's promtool with Go, once (ten minutes), and judge rules and scraping with it
	@test -x $(PROMETHEUS3)/promtool || { mkdir -p $(PROMETHEUS3) && cd $(PROMETHEUS3) && rm -f go.mod go.sum \
	  && go mod init gx/prometheus3 && go get github.com/prometheus/prometheus/cmd/promtool@v0.314.0 \
	  && nice go build -trimpath -ldflags "-s -w -X github.com/prometheus/common/version.Version=3.14.0" \
	     -o promtool github.com/prometheus/prometheus/cmd/promtool; }
	@$(BIN)/gx monitoring lint --promtool $(PROMETHEUS3)/promtool
	@$(BIN)/gx monitoring test --promtool $(PROMETHEUS3)/promtool

# Peers and the profiler are the benchmark's alone: they are no part of `make setup`.
BENCH_STAMP := $(VENV)/.bench-installed
$(BENCH_STAMP): $(STAMP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	@touch $@

bench: $(BENCH_STAMP) ## Measure beside peers and this machine's own limits, 15 minutes at most (ARGS="--profile", "--large"; "--quick" into .cache)
	@$(BIN)/python -m benchmarks.run $(ARGS)

soak: setup ## Twenty minutes at half load: memory, latency and tables must stay flat (ARGS="--minutes 2": into .cache)
	@$(BIN)/python -m benchmarks.soak $(ARGS)

bench-fabric: setup ## Measure batches on a real Fabric network against single transactions and the Node client
	@$(BIN)/python -m benchmarks.fabric $(ARGS)

invariants: setup ## Attack every invariant with random commands, long, and print the number of steps
	@GX_INVARIANT_EXAMPLES=$${GX_INVARIANT_EXAMPLES:-600} GX_INVARIANT_STEPS=$${GX_INVARIANT_STEPS:-60} \
	  $(BIN)/python -m pytest tests/invariants -q -rP

# tests/upgrade runs it beside this version. Whoever raises the version names the commit before that.
previous-release: setup ## Build the wheel of the release before this one from the history (COMMIT=2179ee4)
	@$(BIN)/python -m tests.upgrade.previous $(COMMIT)

# What needs no schedule comes after it, unless ARGS ask for a part: an orderer that is away for
# 2 x 5 minutes (GX_CHAOS_ORDERER_STOP_S=0 leaves it out), alerts under faults, and planted bugs.
chaos: setup ## Faults of every kind under load, judged after each round (ARGS="--faults 30 --seed 7": into .cache)
	@nice $(BIN)/gx fabric install
	@$(BIN)/python -m tests.chaos.run --by-make $(or $(ARGS),--faults 300 --previous-faults 40 --fabric-faults 40)
	@$(if $(ARGS),$(CHAOS_PART),$(CHAOS_REST))

CHAOS_PART := echo "only what ARGS ask for: no orderer that is away, no alerts, no planted bugs"
CHAOS_ORDERER := $${GX_CHAOS_ORDERER_STOP_S:-300}
CHAOS_REST = { [ "$(CHAOS_ORDERER)" = 0 ] || GX_CHAOS_ORDERER_STOP_S=$(CHAOS_ORDERER) \
	  $(BIN)/python -m pytest tests/chaos/test_fabric_kills.py -q; } && $(MAKE) --no-print-directory planted-bugs

# The judge must be able to fail: every bug that a fault brings out, and the same without it.
planted-bugs: setup ## Plant bugs that the chaos suite's judge must name, and have alerts fire under faults
	@GX_CHAOS_PLANTED=all $(BIN)/python -m pytest tests/chaos/test_planted_bugs.py tests/chaos/test_alerting.py -q

fuzz-api: setup ## Attack a real stack's API with schemathesis as each role (ARGS="--examples 300 --seed 1")
	@$(BIN)/python -m tests.fuzz.run $(ARGS)

proof: setup ## Play every drill on a real stack and write docs/reference/drills.md
	@$(BIN)/gx drill --all --output docs/reference
	@$(MAKE) --no-print-directory proof-reachability

# Answers from manifests against an analyser's, and against TCP between network namespaces (as root).
proof-reachability: setup ## Compare reachability with an analyser on 300 random clusters, with packets on 24
	@GX_PROOF_POLICY_SETS=$${GX_PROOF_POLICY_SETS:-300} GX_PROOF_PACKET_SETS=$${GX_PROOF_PACKET_SETS:-24} \
	  $(BIN)/python -m pytest tests/proof/reachability tests/proof/test_incident.py -q -rP -n 2 --dist loadgroup

lock: setup ## Pin what is installed now into constraints.txt
	@$(BIN)/python -m pip freeze --exclude-editable --exclude gx-protocol > constraints.txt

clean: ## Remove the virtual environment and caches (data under var/ stays)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
