# The targets a newcomer needs; `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

UV     := .tools/bin/uv
BIN    := .venv/bin
LOCK   := requirements/dev.txt
STAMP  := .venv/.installed
export UV_PYTHON_DOWNLOADS := never
export UV_LINK_MODE := copy
# Nothing is written outside this folder: each of these tools keeps a cache in HOME otherwise.
CACHES := $(CURDIR)/.tools/cache
export UV_CACHE_DIR := $(CACHES)/uv
export PIP_CACHE_DIR := $(CACHES)/pip
export npm_config_cache := $(CACHES)/npm
export npm_config_update_notifier := false
# pip asks rustc for its version, and rustup then makes its folder.
NO_RUST := $(if $(wildcard $(HOME)/.rustup),,RUSTUP_HOME=$(CACHES)/rustup CARGO_HOME=$(CACHES)/cargo)

.PHONY: help
help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(UV):
	$(NO_RUST) python3 -m venv .tools
	$(NO_RUST) .tools/bin/pip install --quiet --disable-pip-version-check uv

$(STAMP): $(UV) $(LOCK) packages/multisite/pyproject.toml packages/osc-multisite/pyproject.toml packages/multisite/hatch_build.py packages/multisite/package-lock.json
	test -x $(BIN)/python || $(UV) venv --quiet --python python3 .venv
	$(UV) pip sync --quiet --python $(BIN)/python --require-hashes $(LOCK)
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e packages/multisite -e packages/osc-multisite
	env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m compileall -q -j 2 .venv/lib || true
	touch $@

.PHONY: setup
setup: $(STAMP)  ## install everything into .venv (nothing outside this folder)

.PHONY: demo
demo: $(STAMP)  ## six simulated regions, the service, the page: the main job (PORT=8118)
	$(BIN)/python -m demo $(if $(PORT),--port $(PORT))

.PHONY: demo-lab
demo-lab: $(STAMP)  ## the same over three real regions (root or sudo once, see lab/README.md)
	$(BIN)/python -m demo --lab $(if $(PORT),--port $(PORT))

# What wants a browser, or minutes: `make test-sim` and `make test-lab` have it.
SLOW := --ignore=tests/lab/service/test_fuzz.py --ignore-glob='tests/lab/service/test_page*.py'

# What has clocks of its own, or several processes: one at a time.
TIMED := $(foreach folder,engine processes sim,--ignore=tests/integration/$(folder))

.PHONY: test
test: $(STAMP)  ## lint, types, contracts and every test that needs no lab
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest tests/unit tests/integration $(TIMED) --numprocesses 2
	$(BIN)/pytest tests/integration/engine/test_killed.py --numprocesses 2
	$(BIN)/pytest tests/integration/engine tests/integration/processes tests/integration/sim --ignore=tests/integration/engine/test_killed.py
	$(BIN)/pytest tests/lab/service tests/lab_own --world sim $(SLOW) --numprocesses 2 --dist loadfile

.PHONY: test-sim
test-sim: $(STAMP)  ## all tests of the whole service, on the lab's simulated twin
	$(BIN)/pytest tests/lab/service tests/lab_own --world sim

.PHONY: lab
lab: $(STAMP)  ## three real OpenStack regions on this machine, with things in them
	$(BIN)/python -m lab up --regions 3 --populate

.PHONY: lab-down
lab-down: $(STAMP)  ## end the regions; their state is kept
	$(BIN)/python -m lab down

.PHONY: test-lab
test-lab: $(STAMP)  ## the tests that need the lab
	$(BIN)/pytest tests/lab
	$(BIN)/pytest tests/lab_own

.PHONY: bench
bench: $(STAMP)  ## measure against floors over simulated regions, and write docs/reference/performance.md (needs wrk)
	$(BIN)/python -m tests.benchmarks.bench

.PHONY: format
format: $(STAMP)  ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

COMPILE := $(UV) pip compile --quiet --generate-hashes --no-header --no-emit-index-url --no-annotate --python-version 3.11
.PHONY: lock
lock: $(UV)  ## resolve the lock files anew
	$(COMPILE) packages/multisite/pyproject.toml packages/osc-multisite/pyproject.toml requirements/dev.in -o $(LOCK)
	$(COMPILE) packages/multisite/pyproject.toml -c $(LOCK) -o requirements/multisite.txt
	$(COMPILE) requirements/lab.in -o requirements/lab.txt

.PHONY: clean
clean:  ## remove what the other targets made, the lab's state apart
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis
