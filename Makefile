# The commands for a checkout. They need make, Python >= 3.11 with its venv module, and a package
# index. Everything is installed into .venv, at the versions and hashes in .ci/lock.

PYTHON ?= python3
VENV ?= .venv
# `make test-all-pythons` runs the tests under these versions too, if they are installed.
OTHER_PYTHONS := 3.12 3.13

BIN := $(VENV)/bin
READY := $(VENV)/.ready
LOCK := .ci/lock
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
COMPILE := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help demo test test-all-pythons fuzz check format docs bench bench-quick build lock clean
.DELETE_ON_ERROR:

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY) ## Play the whole story of one delegation, then its views
	@$(BIN)/authledger demo

# One process a core, four at most: each has a PostgreSQL server of its own. A file stays in one
# process, so that its fixtures are made once.
test: $(READY) ## Run the whole test suite
	@$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

test-all-pythons: test ## Run the test suite under every supported Python that is installed
	@for version in $(OTHER_PYTHONS); do \
		if python=$$(.ci/find-python $$version); then \
			echo "Python $$version: $$python"; \
			$(MAKE) --no-print-directory test PYTHON="$$python" VENV=.venv-$$version || exit 1; \
		else \
			echo "Python $$version is not installed: the tests do not run under it."; \
		fi; \
	done

fuzz: $(READY) ## Feed odd input and kill writers: SECONDS=300, SEED=…, TARGETS="traces urls kills …"
	@$(BIN)/python -m tests.fuzzing $(TARGETS) --seconds $(or $(SECONDS),300) $(if $(SEED),--seed $(SEED))

check: $(READY) ## Check format, lint, types and the rules for imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(READY) ## Format all code, and apply the automatic fixes
	$(BIN)/ruff check --fix --exit-zero .
	$(BIN)/ruff format .

docs: $(READY) ## Generate docs/reference from the code
	@$(BIN)/python -m tests.documentation.reference

bench: $(READY) ## Measure 3 million events, against the stock library and bare SQLite
	@$(BIN)/python -m benchmarks --events 3000000 --json benchmarks/results.json

bench-quick: $(READY) ## Measure 30,000 events, in about two minutes
	@$(BIN)/python -m benchmarks --events 30000 --repetitions 3 --json benchmarks/results.json

build: $(READY) ## Build the source distribution and the wheel into dist/
	@rm -rf dist
	@$(BIN)/python -m build --no-isolation --outdir dist

lock: $(READY) ## Generate the lock from pyproject.toml (UPGRADE=--upgrade: newest versions)
	$(COMPILE) $(UPGRADE) --output-file $(LOCK)/run.txt
	$(COMPILE) $(UPGRADE) --group dev --constraints $(LOCK)/run.txt --output-file $(LOCK)/dev.txt
	$(COMPILE) $(UPGRADE) --group alternatives --constraints $(LOCK)/dev.txt --output-file $(LOCK)/alternatives.txt

clean: ## Remove all generated files, the virtual environments included
	rm -rf .venv .venv-* dist build .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment is made from scratch each time: a package that left the lock must not remain.
# --no-deps: the lock names every package, and older versions of pip would add others.
$(READY): pyproject.toml $(LOCK)/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "authledger needs Python 3.11 or newer, but '$(PYTHON)' is older." \
			"Name a newer one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "'$(PYTHON)' has no venv module." \
			"Install it (on Debian: apt install python3-venv), or name another Python: make PYTHON=…" >&2; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version) …" >&2
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install --no-deps --require-hashes --requirement $(LOCK)/dev.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@
