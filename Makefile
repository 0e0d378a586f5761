# Few words: make demo, make test, make check, make faults, make bench, make docs.
# Set-up needs Python 3.11 or newer and make; the rest is installed here, from the package indexes only.

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(if $(shell command -v $(name) 2>/dev/null),$(name))))
VENV   ?= .venv
BIN    := $(VENV)/bin
PORT   ?= 8765
OPEN   ?= 1
DEMO   ?= demo-project
SIZE   ?= 1M
RUNS   ?= 3

# Pip asks its index only, never for a newer pip.
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: demo test check faults bench docs lock clean

demo: $(VENV)/installed-run
	@$(BIN)/desireline demo $(DEMO) --port $(PORT) $(if $(filter 0 no false,$(OPEN)),--no-open,--open) $(if $(LIVE),--live)

test: $(VENV)/installed-test
	@PYTHON=$(BIN)/python sh tests/run.sh

check: $(VENV)/installed-test
	@$(BIN)/ruff format --check -q src tests bench docs/reference.py docs/faults.py
	@$(BIN)/ruff check -q src tests bench docs/reference.py docs/faults.py
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo > $(VENV)/contracts.txt || { cat $(VENV)/contracts.txt; exit 1; }

# The long forms of the tests of faults: hours of kills, power cuts, full disks and floods.
faults: $(VENV)/installed-test
	@DESIRELINE_FAULTS=long $(BIN)/python -m pytest tests -k "test_F" --durations=8

bench: $(VENV)/installed-bench
	@$(BIN)/python -m bench --size $(SIZE) --runs $(RUNS)

docs: $(VENV)/installed-test
	@$(BIN)/python -m docs.reference

# Writes down what pyproject.toml needs, with hashes: pins stay as they are unless pyproject.toml asks for others, or all
# are made anew with UPGRADE=1. The tests come first and bind the others, so nothing runs in a version that was not tested.
lock: $(VENV)/installed-run
	@$(BIN)/python -m pip install -q uv
	@for kind in test run bench; do \
	  $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    $(if $(UPGRADE),--upgrade) pyproject.toml $$(test $$kind = run || echo --group $$kind) \
	    $$(test $$kind = test || echo --constraint requirements/test.txt) -o requirements/$$kind.txt || exit 1; done

clean:
	@rm -rf $(VENV) $(DEMO) .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Desireline needs Python 3.11 or newer; none was found."; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Desireline needs Python 3.11 or newer; $(PYTHON) is older."; exit 2; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/installed-%: requirements/%.txt pyproject.toml | $(BIN)/python
	@echo "Installing what '$*' needs ..."
	@$(BIN)/python -m pip install -q --require-hashes -r requirements/$*.txt
	@$(BIN)/python -m pip install -q --no-deps --editable .
	@touch $@
