# Two commands: `make lab` opens the kit, `make test` checks it. Nothing is needed before either.
# The rest: make test-full, make benchmarks, make notebooks, make facilitator, make bundle, make screenshots, make clean.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export UV_LINK_MODE ?= copy
export UV_SYSTEM_CERTS ?= 1

.PHONY: lab test test-rest test-full system-packages check notebooks facilitator bundle benchmarks screenshots clean

## open the kit in JupyterLab; ARGS="--no-browser --port 8899" are passed on
lab: $(VENV)/.lab
	@$(BIN)/kit lab $(ARGS)

## lint, types, unit, conformance, notebooks: everything that needs no Debian package
test: $(VENV)/.dev
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q -n auto --dist loadfile -m "not browser and not engine and not oracle and not binder"
	@$(BIN)/python tests/conformance.py tests/cases/*_cases.json
	@$(BIN)/python notebooks/build.py --check
	@echo "make test: all green. Left out: browser, oracle, engine and Binder tests (make test-full runs them)."

## what `make test` leaves out; nothing may be skipped here
test-rest: $(VENV)/.browser
	@KIT_FULL=1 $(BIN)/python -m pytest -q -n auto --dist loadfile -m "browser or oracle or binder"
	@KIT_FULL=1 $(BIN)/python -m pytest -q -m engine  # alone: an engine changes the machine's networks

## everything, with the Debian packages that it needs
test-full: system-packages test test-rest
	@echo "make test-full: all green. Left out: nothing."

system-packages:
	@sh tests/system-packages.sh

## the learners' notebooks, made from their sources
notebooks: $(VENV)/.dev
	@$(BIN)/python notebooks/build.py

## notebooks with solutions and notes, and the wrong answers to expect, in out/facilitator/
facilitator: $(VENV)/.dev
	@$(BIN)/python notebooks/build.py --facilitator
	@$(BIN)/python tests/lessons/answers.py out/facilitator/wrong-answers.md

## the kit on a stick, for a room without a network, in out/bundle/
bundle: $(VENV)/.dev
	@$(BIN)/python notebooks/bundle.py

## speed; needs Chromium and Node as `make test-full` does
benchmarks: $(VENV)/.browser
	@for each in benchmarks/*.py; do echo "== $$each"; $(BIN)/python $$each || exit 1; done

## every notebook in both themes, wide and at 200 % zoom, in out/screenshots/
screenshots: $(VENV)/.browser
	@$(BIN)/python tests/browser/screenshots.py

clean:
	rm -rf $(VENV) build dist out .mypy_cache .ruff_cache .pytest_cache .hypothesis

# uv is ten times as fast as pip; where it cannot be had, or cannot reach the packages, pip does the same work.
define install
	@$(BIN)/python -m uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[$(1)]' || \
	  $(BIN)/python -m pip install --quiet -c constraints.txt -e '.[$(1)]'
	@$(BIN)/python -m compileall -q kit $$($(BIN)/python -c 'import click, docker, requests, semver, urllib3, yaml; print(*(path for each in (click, docker, requests, semver, urllib3, yaml) for path in each.__path__))')
	@touch $@
endef

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' || \
	  { echo "The kit needs Python 3.11 to 3.14; $(PYTHON) is another. Try: make lab PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "Python's venv is missing. On Debian: apt-get install python3-venv"; exit 2; }
	@$(BIN)/python -m pip install --quiet 'uv>=0.5' || true

$(VENV)/.lab: pyproject.toml constraints.txt | $(BIN)/python
	$(call install,all)
$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	$(call install,dev)
$(VENV)/.browser: pyproject.toml constraints.txt | $(BIN)/python
	$(call install,dev$(comma)browser)
comma := ,
