# `make demo` shows the program, `make test` proves it. Where make is missing, the README says what to type.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo serve test coverage test-slow test-engines test-r check chromium screenshots clean

help: ## say what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/make \1|\2/' | column -t -s '|'

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed. Install it, or name it: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/installed: requirements.txt constraints.txt | .venv/bin/python
	@echo "Installing what the program needs into .venv (some minutes the first time; torch is large)"
	@$(PIP) -r requirements.txt
	@touch $@

.venv/installed-dev: requirements-dev.txt requirements-nets.txt .venv/installed
	@echo "Installing what the tests need into .venv"
	@$(PIP) -r requirements-dev.txt
	@touch $@

demo: .venv/installed ## install, fill an empty store with simulated cases, serve on http://127.0.0.1:8501
	@$(BIN)/python -m colpo_core demo

serve: .venv/installed ## serve the program on http://127.0.0.1:8501, on the store as it is
	@$(BIN)/python -m colpo_core serve

check: .venv/installed-dev ## ruff, vulture, mypy --strict, import-linter; Biome and TypeScript for the JavaScript
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/vulture
	$(BIN)/mypy
	$(BIN)/lint-imports
	@sh scripts/with_node.sh npm run --silent check

chromium:
	@sh scripts/install_chromium.sh

test: check chromium ## all checks, and the whole suite but the slow proofs
	@sh scripts/with_node.sh npm test --silent
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow and not browser and not engines" -n 2 --dist loadfile --no-loadscope-reorder --durations=15 $(COVERAGE)
	$(BIN)/python -m pytest -m "browser and not slow and not alone" -n 2 --dist loadfile --no-loadscope-reorder --durations=15
	$(BIN)/python -m pytest -m "browser and not slow and alone" --durations=15

coverage: .venv/installed-dev ## measure which branches the unit and integration tests reach; fails below the floor in pyproject.toml
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow and not browser and not engines" -n 2 --dist loadfile --no-loadscope-reorder --cov

test-slow: .venv/installed-dev chromium ## the long proofs
	$(BIN)/python -m pytest -m slow

.venv/installed-engines: requirements-engines.txt requirements-ray.txt requirements-cluster.txt .venv/installed-dev
	@echo "Installing the packages of PostgreSQL, Procrastinate, Ray and S3 into .venv"
	@$(PIP) -r requirements-engines.txt
	@touch $@

test-engines: .venv/installed-engines ## the proofs of several machines, on a real PostgreSQL, Procrastinate and Ray
	@sh scripts/install_postgresql.sh
	$(BIN)/python scripts/on_loopback_alone.py $(BIN)/python -m pytest -m engines --durations=15
	COLPO_TEST_ON=postgresql OMP_NUM_THREADS=1 $(BIN)/python scripts/on_loopback_alone.py \
		$(BIN)/python -m pytest -m "not slow and not engines and not sqlite" -n 2 --dist loadfile tests/unit/services tests/unit/workers

test-r: .venv/installed-dev ## compute a report's figures anew in R; needs r-base-core and r-cran-proc
	$(BIN)/python -m pytest -k test_r_computes tests/unit/services/studies/test_report.py

screenshots: .venv/installed-dev chromium ## walk through the program in a browser and keep a picture of each page
	COLPO_SCREENSHOTS=docs/screenshots $(BIN)/python -m pytest -m browser tests/browser/test_walk.py

clean: ## remove what the tools made; never the store
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache node_modules
