# `make` alone lists the targets. Each does its own set-up.
PYTHON ?= python3
BIN := $(CURDIR)/.venv/bin
export PATH := $(BIN):$(PATH)
export ITERATIVE_DO_NOT_TRACK := 1

.DEFAULT_GOAL := help
.PHONY: help repro test lint architecture bench lock clean

help: ## list the targets
	@grep -E '^[a-z.-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

repro: .venv/installed ## install, then run the pipeline: data, model, scores
	dvc repro

test: lint ## install, then lint and run all tests, each file in one of two processes
	python -m pytest --numprocesses 2 --dist loadfile

lint: .venv/installed ## ruff, mypy, and the contracts between rooms
	ruff check . && ruff format --check . && mypy && lint-imports --no-cache --no-logo

architecture: .venv/installed ## draw docs/rooms.svg from the imports
	python docs/rooms.py docs/rooms.svg

bench: .venv/installed ## where the time goes, against the limit: minutes
	python benchmarks/run.py usual

.PHONY: bench-large
bench-large: .venv/installed ## the same at the size of the real challenge: hours
	python benchmarks/run.py large

lock: .venv/installed ## pin the whole environment: requirements.txt from pyproject.toml
	uv pip compile pyproject.toml --extra dev --universal --generate-hashes --quiet \
	  --no-header --no-emit-index-url --no-emit-find-links --output-file requirements.txt

clean: ## remove the environment and caches, not the data
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache

.venv/installed: requirements.txt pyproject.toml
	@echo "installing the pinned environment into .venv, once: a few minutes"
	$(PYTHON) -m venv .venv
	python -m pip install --quiet --requirement requirements.txt
	python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@
