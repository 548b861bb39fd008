# `make` alone lists what can be asked for. A machine needs Python 3.11 or newer, make and a network; nothing else.

SHELL := /bin/sh
.SHELLFLAGS := -eu -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help

# In an empty environment a shell finds programs without an exported PATH; Python then cannot find itself.
export PATH := $(or $(PATH),/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)

# The tests start the program a hundred times: it is compiled once, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps
ASSETS := console/assets
SOURCES := $(wildcard $(ASSETS)/*.mjs) $(shell find $(ASSETS)/src)

# In a folder of its own: pytest clears away all but the last three of those it numbers itself, also those still in use
# by another run on this machine.
PYTEST = folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && $(BIN)/python -m pytest --basetemp="$$folder/pytest"

# Stamps: a thing is right as long as its stamp is newer than all that it was made from.
LOCKED := $(VENV)/.locked
ENV := $(VENV)/.made
NODE_MODULES := $(ASSETS)/node_modules/.made
BUILT := $(ASSETS)/built/manifest.json
VECTORS := knowledge/built/vectors.npz

.PHONY: help env assets vectors run test check prove bench-audit bench-knowledge screenshots states lock upgrade clean

help: ## list these
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' Makefile | expand -t 20

env: $(ENV) ## make .venv, with the `lanyard` command in it
vectors: $(VECTORS) ## embed the catalogue's phrases, so that no start has to
assets: $(BUILT) ## build the pages' styles, scripts and icons

run: $(ENV) $(BUILT) $(VECTORS) ## start a practice line on this machine, with a made-up team
	@exec $(BIN)/lanyard practice

test: $(ENV) $(BUILT) $(VECTORS) ## run the tests, in parallel and in random order (ARGS="-k word -n0" goes to pytest)
	@$(PYTEST) $(ARGS)

prove: $(ENV) $(BUILT) $(VECTORS) ## run the long campaigns (kills, schedules, floods)
	@export LANYARD_PROVE=full; $(PYTEST) -m prove --timeout=7200 $(ARGS)

check: $(ENV) $(BUILT) $(VECTORS) ## run everything that CI runs
	@echo "ruff check";    $(BIN)/ruff check --quiet
	@echo "ruff format";   $(BIN)/ruff format --check --quiet || { echo "not formatted: $(BIN)/ruff format"; exit 1; }
	@echo "mypy";          $(BIN)/mypy --no-error-summary
	@echo "lint-imports";  $(BIN)/lint-imports --no-logo >$(VENV)/lint-imports.txt || { cat $(VENV)/lint-imports.txt; exit 1; }
	@echo "locks";         $(BIN)/python -m tools.lock --check
	@echo "addresses";     $(BIN)/python -m tools.addresses
	@echo "tests";         $(MAKE) test

bench-knowledge: $(ENV) $(VECTORS) ## measure search and red flags on labelled messages (ARGS=FILE), beside others
	@$(BIN)/python -m bench.knowledge $(ARGS)

bench-audit: $(ENV) ## measure what the trail costs, side by side in one run (ARGS=--quick for a hundredth)
	@$(BIN)/python -m bench.audit $(ARGS)

screenshots: $(ENV) $(BUILT) $(VECTORS) ## take a picture of each room for the README; look at them before you keep them
	@$(BIN)/python -m tools.screenshots

states: $(ENV) ## draw docs/states.md, settings.md, events.md and permissions.md from the code
	@$(BIN)/lanyard states docs

lock: $(ENV) ## pin what pyproject.toml asks for (versions already pinned stay)
	@$(BIN)/python -m tools.lock

upgrade: $(ENV) ## pin the newest versions that pyproject.toml allows
	@$(BIN)/python -m tools.lock --upgrade

clean: ## remove all that was made here, but no one's data
	@rm -rf $(VENV) $(ASSETS)/built knowledge/built $(ASSETS)/node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Another lock means another environment, so it is made from nothing. Half an environment is never stamped: the next
# `make` starts it again.
$(LOCKED): requirements/dev.txt
	@echo "making $(VENV) (the first time; a minute or so)"
	@python=$$(sh tools/find-python) && rm -rf $(VENV) && "$$python" -m venv $(VENV)
	@$(PIP) --only-binary=:all: --require-hashes -r requirements/dev.txt
	@touch $@

$(ENV): $(LOCKED) pyproject.toml
	@$(PIP) --no-index --no-build-isolation --editable .
	@touch $@

# `npm ci` takes exactly what package-lock.json names, and (.npmrc) runs no package's own install script.
$(NODE_MODULES): $(ASSETS)/package.json $(ASSETS)/package-lock.json $(ASSETS)/.npmrc | $(LOCKED)
	@echo "fetching the pages' libraries"
	@$(BIN)/python -m tools.node npm ci --no-audit --no-fund --loglevel=error >$(VENV)/npm.txt || { cat $(VENV)/npm.txt; exit 1; }
	@touch $@

$(BUILT): $(NODE_MODULES) $(SOURCES)
	@echo "building $(ASSETS)/built"
	@$(BIN)/python -m tools.node build.mjs
	@touch $@

$(VECTORS): $(wildcard knowledge/entries/*.md knowledge/*.tsv knowledge/*.toml knowledge/*.py) | $(ENV)
	@echo "embedding the catalogue's phrases"
	@$(BIN)/python -m lanyard knowledge vectors >/dev/null
	@touch $@
