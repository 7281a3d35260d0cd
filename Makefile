# One command for each thing people do here; `make help` lists them. Paths are relative: a checkout may lie anywhere.
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
export NO_MKDOCS_2_WARNING := 1
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PY := .venv/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --no-input --quiet
ARGS ?=

.PHONY: help venv demo test check format docs docs-serve bench bench-full lock clean clean-all

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

# -- installing: once, and again when what is to be installed has changed ---------------------------

.venv/.made: requirements/make-venv
	@PYTHON="$(PYTHON)" requirements/make-venv
	@touch $@

.venv/.demo: .venv/.made requirements/demo.txt pyproject.toml
	@echo "installing what Tidegate needs to run"
	@$(PIP) install --require-hashes --requirement requirements/demo.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev: .venv/.made requirements/dev.txt pyproject.toml
	@echo "installing Tidegate with its development tools"
	@$(PIP) install --require-hashes --requirement requirements/dev.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@ .venv/.demo

venv: .venv/.dev ## Make .venv with everything in it

# -- using ------------------------------------------------------------------------------------------

demo: .venv/.demo ## Show the whole story on this machine, no Java, no Docker (KEEP=1 stays up)
	@$(PY) -m demo $(if $(KEEP),--keep)

# -- developing -------------------------------------------------------------------------------------

test: .venv/.dev ## Run the tests (ARGS='-k name' for some), on Apache Kafka where Java and Maven are
	@$(PY) -m pytest $(ARGS)

check: .venv/.dev ## Run ruff, mypy, the import contract and the docs build
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	.venv/bin/lint-imports
	@$(MAKE) docs

format: .venv/.dev ## Put the code in shape
	@$(PY) -m ruff check --fix-only --quiet .
	@$(PY) -m ruff format .

docs: .venv/.dev ## Build the documentation into build/site
	$(PY) -m mkdocs --quiet build --strict --site-dir build/site

docs-serve: .venv/.dev ## Read the documentation while writing it
	@$(PY) -m mkdocs serve

bench: .venv/.dev ## Compare with Apache Kafka Connect, short form (5 minutes; needs Java and Maven)
	@$(PY) -m bench.connectors --short

bench-full: .venv/.dev ## Compare with Apache Kafka Connect, long form
	@$(PY) -m bench.connectors

# No index, link or host goes into the files: they name packages and hashes, and pip fetches as it is set up to.
LOCK := build/lock/bin/python -m piptools compile --quiet --upgrade --generate-hashes --strip-extras --allow-unsafe \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --extra embedded

lock: build/lock/.made ## Write requirements/*.txt anew from pyproject.toml (needs python3.11)
	@build/lock/bin/python requirements/dev_group.py > build/lock/dev.in
	@CUSTOM_COMPILE_COMMAND="make lock" $(LOCK) --output-file requirements/demo.txt pyproject.toml requirements/build.in
	@CUSTOM_COMPILE_COMMAND="make lock" $(LOCK) --output-file requirements/dev.txt --constraint requirements/demo.txt \
		pyproject.toml requirements/build.in build/lock/dev.in

build/lock/.made:
	@python3.11 -m venv build/lock
	@build/lock/bin/python -m pip --quiet --disable-pip-version-check install pip-tools
	@touch $@

clean: ## Remove what was built, keep .venv
	@rm -rf build site dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +

clean-all: clean ## Remove .venv too
	@rm -rf .venv
