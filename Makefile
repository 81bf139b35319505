# Everything a newcomer needs is `make run` and `make test`. Both first make `.venv` and install what the lock
# files name, with hashes; later runs find that done and start at once.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON3 ?= python3
# Many tests wait for another process: one more at a time than there are processors to compute on.
PYTEST_ARGS ?= -n 3
VENV := .venv
BIN := $(VENV)/bin
PYTHON := $(BIN)/python
PIP := $(PYTHON) -m pip --disable-pip-version-check --no-input

# Nothing is taken that the locks do not name, not even to build our own package.
INSTALL_SELF := $(PIP) install --quiet --no-deps --no-build-isolation --editable .

# Compiled code is kept, whoever runs this: every process of the tests would compile all of it anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## this list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

.PHONY: run
run: $(VENV)/.installed-run ## a working example: a desired repository, a target and the daemon
	@$(PYTHON) tools/quickstart.py $(ARGS)

.PHONY: test
test: lint programs ## every check, then every test; `make test PYTEST_ARGS="-k season"` for some tests
	$(PYTHON) -m pytest $(PYTEST_ARGS)
	@$(MAKE) --no-print-directory fuzz EXAMPLES=3

EXAMPLES ?= 100
.PHONY: fuzz
fuzz: $(VENV)/.installed-fuzz ## requests that nobody would think of, at every path of the HTTP API; `EXAMPLES=1000` for more
	FUZZ_EXAMPLES=$(EXAMPLES) $(PYTHON) -m pytest tests/fuzz -n 2

.PHONY: test-long
test-long: $(VENV)/.installed-dev programs ## the tests that take minutes: real histories, commit by commit, and many more random ones
	$(PYTHON) -m pytest -m long $(PYTEST_ARGS)
	TESTS_EXAMPLES=10 $(PYTHON) -m pytest tests/properties --timeout 3600 $(PYTEST_ARGS)

# What of them keeps a store; git's and the targets' own tests do not.
IN_POSTGRESQL := tests/integration tests/e2e tests/contract tests/faults/test_killed_at_every_write.py \
	--ignore-glob='tests/integration/test_git_*' --ignore-glob='tests/integration/test_target_*'

.PHONY: test-postgres
test-postgres: $(VENV)/.installed-dev programs ## the same worlds with their stores in PostgreSQL
	TESTS_STORE=postgresql $(PYTHON) -m pytest $(IN_POSTGRESQL) $(PYTEST_ARGS)

# What the tests start besides git, by the names of the Debian packages that hold it.
.PHONY: programs
programs:
	@missing=(); \
	{ command -v gpg && command -v gpg-agent; } >/dev/null || missing+=(gnupg); \
	command -v ssh-keygen >/dev/null || missing+=(openssh-client); \
	[[ -e /usr/share/i18n/locales/en_US ]] || missing+=(locales); \
	command -v promtool >/dev/null || missing+=(prometheus); \
	command -v chromium >/dev/null || missing+=(chromium); \
	if (( $${#missing[@]} == 0 )); then exit 0; fi; \
	if [[ $$(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then \
		echo "The tests need $${missing[*]}; on Debian: sudo apt-get install $${missing[*]}" >&2; exit 1; \
	fi; \
	echo "Installing $${missing[*]} …"; \
	export DEBIAN_FRONTEND=noninteractive; \
	apt-get update -qq && apt-get install -qq --yes --no-install-recommends "$${missing[@]}" >/dev/null || { \
		echo "They could not be installed; the tests need $${missing[*]}" >&2; exit 1; }

.PHONY: lint
lint: $(VENV)/.installed-dev ## the checks alone
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/codespell
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec deploy/compose.yaml
	@if command -v systemd-analyze >/dev/null; then \
		unit=$$(mktemp -d)/reconciler.service; \
		sed 's|^ExecStart=[^ ]*|ExecStart=/bin/true|' deploy/reconciler.service > "$$unit"; \
		systemd-analyze verify "$$unit"; \
	fi

.PHONY: format
format: $(VENV)/.installed-dev ## lay out the code and mend what can be mended without a decision
	$(BIN)/ruff check --fix --exit-zero
	$(BIN)/ruff format

.PHONY: reference
reference: $(VENV)/.installed-dev ## write the generated pages of `docs/` anew: manifests, commands, settings
	$(PYTHON) -m tools.reference

# `BUILD_ARGS` is for what only this machine needs, such as "--network=host"; `IMAGE=…` tries one that is there already.
.PHONY: image-test
image-test: $(VENV)/.installed-dev engine ## build the image and try it, alone and by compose.yaml: minutes, with podman or docker
	BUILD_ARGS="$(BUILD_ARGS)" IMAGE="$(IMAGE)" $(PYTHON) -m pytest tests/image -rP --timeout 1500

.PHONY: engine
engine:
	@if command -v podman >/dev/null || docker info >/dev/null 2>&1; then exit 0; fi; \
	if [[ $$(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then \
		echo "This needs podman or docker; on Debian: sudo apt-get install podman" >&2; exit 1; \
	fi; \
	echo "Installing podman …"; \
	export DEBIAN_FRONTEND=noninteractive; \
	apt-get update -qq && apt-get install -qq --yes podman iptables \
		$$(apt-cache pkgnames golang-github-containernetworking-plugin-dnsname) >/dev/null

.PHONY: screenshots
screenshots: $(VENV)/.installed-dev programs ## the pictures of docs/dashboard.md, taken anew
	@$(PYTHON) -m tests.browser.screenshots

.PHONY: bench
bench: $(VENV)/.installed-bench ## every benchmark, half an hour; `ARGS="--sizes 100 --only B1"` for some
	$(PYTHON) -m benchmarks $(ARGS)

.PHONY: simulate
simulate: $(VENV)/.installed-dev ## the daemon on a simulated clock, with faults from seeds; `make simulate ARGS="--seeds 1000 --days 30"`
	@$(PYTHON) -m tests.simulation $(ARGS)

.PHONY: mutants
mutants: $(VENV)/.installed-mutants ## mistakes planted in the core: which does no quick test notice? `ARGS="reconciler.planner.gates.*"`
	HYPOTHESIS_PROFILE=ci $(BIN)/mutmut run $(ARGS)
	$(BIN)/mutmut results | sed "/: not checked$$/d"

# Only this needs uv. `make lock ARGS=--upgrade` takes newer versions; those younger than a week are left alone.
UV ?= $(or $(shell command -v uv),$(BIN)/uv)
LOCK = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links --exclude-newer "7 days" --extra postgres --extra build $(ARGS)

.PHONY: lock
lock: ## write the lock files anew from pyproject.toml (needs uv)
	@$(UV) --version >/dev/null || { echo "make lock needs uv: $(PIP) install uv" >&2; exit 1; }
	$(LOCK) pyproject.toml --output-file requirements.lock
	$(LOCK) --extra dev --extra otel --extra oidc --constraints requirements.lock pyproject.toml --output-file requirements-dev.lock
	$(LOCK) --extra mutants --constraints requirements-dev.lock pyproject.toml --output-file requirements-mutants.lock
	$(LOCK) --extra fuzz --extra dev --constraints requirements-dev.lock pyproject.toml --output-file requirements-fuzz.lock
	$(LOCK) --extra bench --constraints requirements-dev.lock pyproject.toml --output-file requirements-bench.lock
	for peer in ansible-core octodns salt; do \
		echo $$peer | $(UV) pip compile --quiet --universal --python-version 3.11 --no-annotate --no-header \
			--no-emit-index-url --no-emit-find-links --exclude-newer "7 days" $(ARGS) - \
			--output-file benchmarks/peers/$${peer%-core}.txt; \
	done

.PHONY: clean
clean: ## remove the virtual environment and every cache; `state` stays
	rm -rf $(VENV) .peers build dist mutants .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find reconciler tests -type d -name __pycache__ -prune -exec rm -rf {} +

# An unfinished environment is taken away again, or the next run would believe in it.
$(PYTHON):
	@$(PYTHON3) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed; name it with: make PYTHON3=python3.11 …" >&2; exit 1; }
	@echo "Making $(VENV) …"
	@$(PYTHON3) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Python cannot make a virtual environment; on Debian: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/.installed-run: requirements.lock pyproject.toml | $(PYTHON)
	@echo "Installing what requirements.lock names …"
	@$(PIP) install --quiet --require-hashes --requirement requirements.lock
	@$(INSTALL_SELF)
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock pyproject.toml | $(PYTHON)
	@echo "Installing what requirements-dev.lock names …"
	@$(PIP) install --quiet --require-hashes --requirement requirements-dev.lock
	@$(INSTALL_SELF)
	@touch $@ $(VENV)/.installed-run

$(VENV)/.installed-mutants: requirements-mutants.lock $(VENV)/.installed-dev
	@echo "Installing what requirements-mutants.lock names …"
	@$(PIP) install --quiet --require-hashes --requirement requirements-mutants.lock
	@touch $@

$(VENV)/.installed-fuzz: requirements-fuzz.lock $(VENV)/.installed-dev
	@echo "Installing what requirements-fuzz.lock names …"
	@$(PIP) install --quiet --require-hashes --requirement requirements-fuzz.lock
	@touch $@

$(VENV)/.installed-bench: requirements-bench.lock $(VENV)/.installed-dev
	@echo "Installing what requirements-bench.lock names …"
	@$(PIP) install --quiet --require-hashes --requirement requirements-bench.lock
	@touch $@
