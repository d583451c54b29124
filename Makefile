# Each target sets up what it needs in .venv and does nothing twice. Needs Python 3.11 or newer, git and make.
#
#   make plan [MODELS="llama3.1:8b team-bot"]   what would replace these models on this machine
#   make test [TESTS=tests/memory]              the tests
#   make check                                  everything a change has to pass, as in CI

MODELS = llama3.1:8b codellama:7b-code
TESTS =
PYTHON =

BIN = .venv/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check
DECISIONS = */llamaexit/lineage/*,*/llamaexit/memory/*,*/llamaexit/planning/*,*/llamaexit/recipes/*

.PHONY: help plan test coverage coverage-report lint types imports docs reference dist bench check setup clean

help:
	@sed -n 's/^#   //p' Makefile

plan: .venv/.installed
	@$(BIN)/llamaexit plan $(MODELS)

test: .venv/.installed .venv/.group-test
	$(BIN)/pytest $(TESTS)

coverage: .venv/.installed .venv/.group-test
	$(BIN)/pytest --cov --cov-report= $(TESTS)
	$(MAKE) coverage-report

# Decisions are held to 95 % of their branches; the rest is reported.
coverage-report: .venv/.installed .venv/.group-test
	$(BIN)/coverage report
	$(BIN)/coverage report --include='$(DECISIONS)' --fail-under=95

lint: types imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: .venv/.installed .venv/.group-lint
	$(BIN)/mypy

imports: .venv/.installed .venv/.group-lint
	$(BIN)/lint-imports

docs: .venv/.installed .venv/.group-docs
	$(BIN)/sphinx-build -W --keep-going -n -q -b dirhtml docs site
	@echo "site/index.html"

# Rewrite what is generated from the code: pages under docs/reference, and what the README shows.
reference: .venv/.installed
	$(BIN)/python tools/reference.py
	$(BIN)/python tools/transcript.py

dist: .venv/.group-build
	rm -rf dist
	$(BIN)/python -m build --outdir dist

bench: .venv/.installed .venv/.group-test
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/migrate.py
	$(BIN)/python benchmarks/recipes.py

check: lint coverage docs dist

setup: .venv/.installed .venv/.group-test .venv/.group-lint .venv/.group-docs .venv/.group-build

clean:
	rm -rf .venv build dist site .coverage .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

.venv/bin/python:
	@tools/venv .venv $(PYTHON)

# The recipes are compiled when the package is installed.
.venv/.installed: pyproject.toml hatch_build.py $(wildcard recipes/*.toml) .venv/bin/python
	@echo ".venv: installing llamaexit" >&2
	@$(PIP) --editable .
	@touch $@

.venv/.group-%: pyproject.toml .venv/bin/python
	@echo ".venv: installing the $* tools" >&2
	@$(PIP) --group $*
	@touch $@
