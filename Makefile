# make demo: set up and run the main job. make test: set up and run all tests. Needs python3.11 and nothing else.

PYTHON ?= python3.11
BIN := .venv/bin
READY := .venv/.ready
JOBS ?= 2

.PHONY: demo setup test test-slow fuzz verify-full lint format typecheck wheel-test clean

demo: $(READY)
	$(BIN)/python -m dlc.demo build/demo

setup: $(READY)

test: $(READY)
	$(BIN)/python -m pytest -n $(JOBS)

# Until one fails: then its smallest form is shown, and kept for the next run in .hypothesis.
fuzz: $(READY)
	while DLC_FUZZ=2000 $(BIN)/python -m pytest -q -x --timeout=0 tests/fuzz; do :; done

test-slow: $(READY)
	$(BIN)/python -m pytest -m slow

verify-full: $(READY)
	$(BIN)/python -m benchmarks.full_size

docs: $(READY)
	$(BIN)/python docs/site/build.py

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

typecheck: $(READY)
	$(BIN)/python .ci/typecheck.py

wheel-test: $(READY)
	$(BIN)/python .ci/wheel_test.py

# The stamp is written last: an installation that was interrupted is taken up again.
$(READY): pyproject.toml setup.py constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	$(BIN)/python -m compileall -q compiler spec backends
	touch $@

clean:
	rm -rf build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
