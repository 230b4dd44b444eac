# `make` alone lists the targets. Each does its own set-up.
PYTHON ?= python3
BIN := $(CURDIR)/.venv/bin
export PATH := $(BIN):$(PATH)
export ITERATIVE_DO_NOT_TRACK := 1

.DEFAULT_GOAL := help
.PHONY: help repro test lint architecture bench picture lock clean

help: ## list the targets
	@grep -E '^[a-z.-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

repro: .venv/installed ## install, then run the pipeline: data, model, scores
	dvc repro
	@printf '\n%s\n\n' "=== What came out ===" && skinlesion summary

test: lint ## install, then lint and run all tests, each file in one of two processes
	python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

lint: .venv/installed-dev ## ruff, mypy, and the contracts between rooms
	ruff check . && ruff format --check . && mypy && lint-imports --no-cache --no-logo

architecture: .venv/installed-dev ## draw docs/rooms.svg from the imports
	python docs/rooms.py docs/rooms.svg

bench: .venv/installed-dev ## where the time goes, against the limit: minutes
	python benchmarks/run.py usual

.PHONY: bench-large
bench-large: .venv/installed-dev ## the same at the size of the real challenge: hours
	python benchmarks/run.py large

.PHONY: runtime
runtime: .venv/installed-dev ## make the light environment: its size, and how soon it scores
	python benchmarks/light.py bundle data/raw/synthetic/test-metadata.csv data/raw/synthetic/test-image.hdf5

.PHONY: checklists
checklists: .venv/installed ## write docs/checklists.md from the last run
	skinlesion checklists docs/checklists.md

picture: .venv/installed-dev ## draw docs/report.png from the report of the last run; needs chromium
	python docs/picture.py metrics/report.html docs/report.png

COMPILE := uv pip compile pyproject.toml --universal --generate-hashes --quiet \
  --no-header --no-emit-index-url --no-emit-find-links

lock: .venv/installed-dev ## pin all packages: to run (requirements.txt), to develop (-dev)
	$(COMPILE) --extra train --output-file requirements.txt
	$(COMPILE) --extra dev --constraint requirements.txt --output-file requirements-dev.txt

clean: ## remove the environment and caches, not the data
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .grimp_cache .import_linter_cache

# One environment, two sizes: `make repro` installs what runs, `make test` adds the rest to it.
.venv/installed: requirements.txt pyproject.toml
	@echo "installing the pinned packages into .venv, once: 3.1 GB, a few minutes"
	$(PYTHON) -m venv .venv
	python -m pip install --quiet --requirement requirements.txt
	python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	@echo "adding the packages of developers to .venv, once"
	python -m pip install --quiet --requirement requirements-dev.txt
	touch $@

.PHONY: fuzz chaos
MINUTES ?= 60
fuzz: .venv/installed-dev ## malformed and odd inputs, others each time: MINUTES, 60 unless given
	python tests/fuzz.py $(MINUTES)

KILLS ?= 30
chaos: .venv/installed-dev ## kill repro, push and pull at KILLS moments each; the outs must agree
	python -m tests.chaos $(KILLS)
