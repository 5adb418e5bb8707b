# What one does with a checkout. It needs make, Python >= 3.11 with its venv module, and a package
# index; all that gets installed lies in .venv, pinned and hashed by .ci/lock.

PYTHON ?= python3
VENV ?= .venv
# Tests run under these too, where they are installed.
OTHER_PYTHONS := 3.12 3.13

BIN := $(VENV)/bin
READY := $(VENV)/.ready
LOCK := .ci/lock
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
COMPILE := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help demo test test-all-pythons check format docs bench bench-quick build lock clean
.DELETE_ON_ERROR:

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY) ## Play the whole story of one delegation, then its views
	@$(BIN)/authledger demo

test: $(READY) ## Run the whole test suite
	@$(BIN)/python -m pytest

test-all-pythons: test ## Run it under every other supported Python found here, too
	@for version in $(OTHER_PYTHONS); do \
		if python=$$(.ci/find-python $$version); then \
			echo "Python $$version: $$python"; \
			$(MAKE) --no-print-directory test PYTHON="$$python" VENV=.venv-$$version || exit 1; \
		else \
			echo "Python $$version: not found here, its tests are left out."; \
		fi; \
	done

check: $(READY) ## Check form, types and architecture
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(READY) ## Lay out all code, and mend what can be mended by itself
	$(BIN)/ruff check --fix --exit-zero .
	$(BIN)/ruff format .

docs: $(READY) ## Make docs/reference from the code
	@$(BIN)/python -m tests.documentation.reference

bench: $(READY) ## Measure it beside the stock library and bare SQLite, at 3 million events
	@$(BIN)/python -m benchmarks --events 3000000 --json benchmarks/results.json

bench-quick: $(READY) ## The same in under two minutes, at 30,000 events
	@$(BIN)/python -m benchmarks --events 30000 --repetitions 3 --json benchmarks/results.json

build: $(READY) ## Build the source distribution and the wheel into dist/
	@rm -rf dist
	@$(BIN)/python -m build --no-isolation --outdir dist

lock: $(READY) ## Remake the lock from pyproject.toml (UPGRADE=--upgrade: newest versions)
	$(COMPILE) $(UPGRADE) --output-file $(LOCK)/run.txt
	$(COMPILE) $(UPGRADE) --group dev --constraints $(LOCK)/run.txt --output-file $(LOCK)/dev.txt
	$(COMPILE) $(UPGRADE) --group alternatives --constraints $(LOCK)/dev.txt --output-file $(LOCK)/alternatives.txt

clean: ## Remove all that was made, the environments included
	rm -rf .venv .venv-* dist build .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Made anew, not mended: a package that left the lock must not stay behind.
# The lock is whole, so nothing is left for pip to choose (older ones try what a lock leaves out).
$(READY): pyproject.toml $(LOCK)/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "authledger needs Python 3.11 or newer, and '$(PYTHON)' is not." \
			"Name one that is: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "'$(PYTHON)' has no venv module." \
			"Install it (on Debian: apt install python3-venv), or name another: make PYTHON=…" >&2; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version) …" >&2
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install --no-deps --require-hashes --requirement $(LOCK)/dev.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@
