# One command for each job; `make help` lists them. `make demo` and `make test` set up what they need.

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEMO_OUT := demo-out
UI := redact/review/ui
PAGE := redact/review/page/app.js

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format fuzz bench bench-all samples man lock clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

setup: $(READY) $(PAGE) ## Install everything: system packages (as root, if missing), .venv, models, the review page

$(READY): requirements.lock pyproject.toml models/models.toml scripts/setup_system.sh
	PYTHON=$(PYTHON) ./scripts/setup_system.sh
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	$(BIN)/redact models pull
	@touch $@

$(PAGE): $(READY) $(wildcard $(UI)/src/* $(UI)/licences/*) $(UI)/package-lock.json $(UI)/build.mjs
	cd $(UI) && npm ci --ignore-scripts --silent && npm run build --silent

demo: setup ## Run the main job on samples/ and say what came of it
	@rm -rf $(DEMO_OUT)
	@$(BIN)/python scripts/demo.py samples/media $(DEMO_OUT)

test: setup ## Run every test; what fails beside others is said, and must pass once more alone
	PYTHON=$(PYTHON) ./scripts/setup_system.sh test
	cd $(UI) && npm test --silent
	$(BIN)/python -m pytest -n 2 --dist loadfile || { test $$? -eq 1 && \
		echo "Once more, alone: what failed beside other tests. What passes now is a race: mend it." && \
		$(BIN)/python -m pytest --last-failed --last-failed-no-failures none; }

check: setup ## Lint, format check, types, and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## Format the code
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

fuzz: setup ## Mutated files against every reader, FUZZ_SECONDS long (300); FUZZ_SEED for others
	$(BIN)/python scripts/fuzz.py

bench: setup ## Measure how faces are covered, with peers side by side; bench-all: everything (hours)
	$(BIN)/python -m bench

bench-all: setup
	$(BIN)/python -m bench all --full

samples: setup ## Make the samples again (needs the fonts of fonts-dejavu-core)
	$(BIN)/python samples/make_samples.py

man: setup ## Write docs/redact.1 again from the commands
	$(BIN)/python scripts/man_page.py

lock: ## Resolve the dependencies again and pin them with their hashes
	$(BIN)/python -m uv pip compile --quiet --universal --python-version 3.11 --extra dev --generate-hashes \
		--no-emit-index-url --no-header --no-annotate pyproject.toml -o requirements.lock

clean: ## Remove what setup and the demo made
	rm -rf $(VENV) $(DEMO_OUT) redact/review/page $(UI)/node_modules $(UI)/build bench/work .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
