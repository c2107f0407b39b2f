# Everything a newcomer needs: `make demo`, `make test`. Each target sets up what it needs and nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input
ARGS ?=

.PHONY: demo test lint bench screenshots lock clean help
.DEFAULT_GOAL := help

help:
	@echo "make demo    the whole product on this machine: http://127.0.0.1:8000 (ARGS='--video FILE' watches your own)"
	@echo "make test    set up and run the whole test suite"
	@echo "make lint    ruff, mypy --strict, import contracts"
	@echo "make bench   measure; results belong into docs/measurements.md"
	@echo "make screenshots   renew the README's picture"
	@echo "make lock    renew the pinned, hashed requirements/*.txt from pyproject.toml"
	@echo "make clean   remove what the targets above made"

demo: $(VENV)/.demo-ready
	$(BIN)/teawatch demo $(ARGS)

test: $(VENV)/.dev-ready
	@sh tests/install-system-packages.sh
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal $(ARGS)

lint: $(VENV)/.dev-ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.demo-ready
	clip=$$($(BIN)/python -c "from center.demo.footage import cache_folder, fetch_vtest; print(fetch_vtest(cache_folder()))") && \
		$(BIN)/teawatch bench edge "$$clip" --json $(ARGS)
	$(BIN)/teawatch bench demo --json

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "TeaWatch needs Python 3.11 or later; '$(PYTHON)' is older. Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "The venv module is missing: apt-get install python3-venv" >&2; exit 1; }

# The dev requirements contain the demo's, so either set makes the demo run.
$(VENV)/.demo-ready: requirements/demo.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing TeaWatch into $(VENV) (about a minute, once) ..."
	@$(PIP) --require-hashes -r requirements/demo.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev-ready: requirements/dev.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing TeaWatch and its tests' tools into $(VENV) (about two minutes, once) ..."
	@$(PIP) --require-hashes -r requirements/dev.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.demo-ready

screenshots: $(VENV)/.dev-ready
	TEAWATCH_SCREENSHOTS=1 $(BIN)/python -m pytest -q tests/journey/test_screenshot.py

lock:
	@test -x .cache/lock/bin/uv || { $(PYTHON) -m venv .cache/lock && .cache/lock/bin/python -m pip install --quiet uv; }
	@sh requirements/lock.sh .cache/lock/bin/uv

clean:
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
