# What you can do with Brimwatch on a Debian machine; nothing but python3 (with venv), git, make and apt is needed.
# `make PYTHON=python3.12 demo` uses another Python.

PYTHON ?= python3
KILLS ?= 30
SEED ?= 1
PIP_COMPILE = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
  --no-emit-index-url
# Ends what it starts when make itself is killed.
GUARDED = exec setpriv --pdeathsig TERM --

.PHONY: help demo test chaos prove bench evaluate check clean lock python setup-demo setup-check setup-test

help: ## list these commands
	@awk -F ': .*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: setup-demo ## set up and run everything with a virtual city; prints the address and the login, Ctrl-C ends it
	@$(GUARDED) .venv/bin/python -m simulator demo

test: setup-test ## set up, then make check and every test (BROWSER=0 leaves out the browser's, ARGS= goes to pytest)
	@$(MAKE) --no-print-directory check
	@$(GUARDED) .venv/bin/python -m pytest $(ARGS)

chaos: setup-test ## cut the power of devices, broker, database and ingester (KILLS=30 SEED=1); figures in build/chaos.json
	@$(GUARDED) .venv/bin/python -m tests.chaos --kills $(KILLS) --seed $(SEED)

prove: setup-test ## what takes too long for make test (PROOF= for one of them); figures in build/prove.json
	@$(GUARDED) .venv/bin/python -m tests.prove $(PROOF)

check: setup-check ## format, lint, types (server and firmware), layers and documents
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/mypy --config-file firmware/mypy.ini
	.venv/bin/python -m pytest -q tests/unit/test_layers.py tests/unit/test_docs.py

bench: setup-test ## how fast it is (BENCH= for some parts, ROUNDS=5; docs/performance.md); figures in build/bench.json
	@$(GUARDED) .venv/bin/python -m tests.bench $(BENCH)

evaluate: setup-test ## how accurate it is, on real data and an invented town (ONLY= for a part); docs/accuracy.md, build/evaluate.json
	@$(GUARDED) .venv/bin/python -m simulator evaluate $(foreach part,$(ONLY),--only $(part)) $(if $(DATA),--data $(DATA))

clean: python ## remove what the other commands have made, the demo's data included
	@$(PYTHON) -m simulator.stack.native clean
	rm -rf .venv .local build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

lock: ## choose newer versions of all packages (needs uv: `pip install uv`)
	$(PIP_COMPILE) --upgrade --extra demo pyproject.toml -o requirements.lock
	$(PIP_COMPILE) --upgrade --all-extras pyproject.toml -o requirements-test.lock
	$(PIP_COMPILE) --upgrade requirements-stubs.in -o requirements-stubs.lock

setup-demo setup-check setup-test: setup-%: python
	@$(PYTHON) -m simulator.stack.setup $*

python:
	@command -v $(PYTHON) > /dev/null || { echo "There is no $(PYTHON) here: apt-get install python3 python3-venv, or name another with PYTHON=." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "Brimwatch needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is $$($(PYTHON) -V 2>&1); name another with PYTHON=." >&2; exit 1; }
