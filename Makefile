# Two entrances: `make demo` sets up and runs the main job, `make test` sets up and passes the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := build/demo-memory
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test clean

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable .
	touch $@

$(VENV)/.ready-test: $(VENV)/.ready
	$(BIN)/pip install --quiet --editable '.[test]'
	touch $@

demo: $(VENV)/.ready
	rm -rf $(DEMO)
	$(BIN)/msa ingest sample_corpora --store $(DEMO)
	$(BIN)/python sample_corpora/demo.py $(DEMO)
	$(BIN)/msa stats --store $(DEMO)

test: $(VENV)/.ready-test
	$(BIN)/python -m pytest

clean:
	rm -rf $(VENV) build dist *.egg-info
