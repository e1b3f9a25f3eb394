# Every target does its own set-up: Python's packages from uv.lock into .venv/, uv itself into
# .tools/, the explorer's packages into explorer/node_modules/. A second run finds it all there.

PYTHON ?= python3
UV_VERSION := 0.13.8
UV_HOME := .tools/uv-$(UV_VERSION)
UV ?= $(UV_HOME)/bin/uv
RUN := .venv/bin
IMAGE ?= graphql-bff
ARGS ?=

export UV_PROJECT_ENVIRONMENT := .venv
export UV_PYTHON_DOWNLOADS := never
export UV_SYSTEM_CERTS := true
# Whoever calls make from another virtual environment means this project's all the same.
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

##@ Use
.PHONY: demo
demo: .venv/.synced ## Start five services and the BFF, and ask the dashboard (ARGS="--once --port 0")
	@$(RUN)/bff demo $(ARGS)

.PHONY: image
image: ## Build the container image with buildah (ARGS="--build-arg PYTHON_IMAGE=...")
	buildah build --format docker --tag $(IMAGE) $(ARGS) .

.PHONY: image-check
image-check: $(UV_HOME)/bin/uv ## Build the image on a base made from this machine, and run it (root only)
	@$(UV_HOME)/bin/python deploy/image/try.py

##@ Change
.PHONY: test
test: .venv/.synced ## Run the quick tests, in less than a minute (ARGS="-k breaker")
	$(RUN)/pytest -m "not slow" -n auto $(ARGS)

.PHONY: test-all
test-all: .venv/.synced debian explorer-check ## Run every test, with coverage; build and try the image
	$(RUN)/coverage erase
	$(RUN)/coverage run -m pytest -m "not slow" -n auto --junitxml=.pytest_cache/quick.xml tests/unit tests/integration
	$(RUN)/pytest -m "not slow" -n auto --junitxml=.pytest_cache/others.xml --ignore=tests/unit --ignore=tests/integration
	$(RUN)/pytest -m slow -n auto --dist loadfile --junitxml=.pytest_cache/slow.xml
	@! grep -l '<skipped' .pytest_cache/quick.xml .pytest_cache/others.xml .pytest_cache/slow.xml || { echo 'A test was skipped: see above.' >&2; exit 1; }
	$(RUN)/coverage combine --quiet
	$(RUN)/coverage report --include='datasources/*' --fail-under=95
	$(RUN)/coverage report --include='schema/*' --fail-under=95
	@if command -v buildah > /dev/null && [ "$$(id -u)" = 0 ]; then $(MAKE) --no-print-directory image-check; \
	else echo 'The image was not tried: that needs buildah and root.' >&2; fi

.PHONY: check
check: .venv/.synced ## Check format, lint, types, imports, the Dockerfile and the documentation
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/mypy
	$(RUN)/pyright
	$(RUN)/lint-imports
	$(RUN)/hadolint Dockerfile
	$(RUN)/pytest -q -m "not slow" tests/docs

.PHONY: format
format: .venv/.synced ## Put the Python files in shape
	$(RUN)/ruff format .
	$(RUN)/ruff check --fix .

.PHONY: docs
docs: .venv/.synced ## Rewrite the pages that are written from the code
	$(RUN)/python -m tests.docs.settings_page
	$(RUN)/bff schema export -o schema/sdl/web.graphql

.PHONY: mutation
mutation: .venv/.synced ## Change the pipeline in every small way: do its tests notice? (half an hour; ARGS="--only breaker")
	nice -n 10 $(RUN)/python -m tests.mutation $(ARGS)

.PHONY: bench
bench: .venv/.synced ## Measure beside the peers, and write docs/bench.md (an hour; ARGS="--quick")
	PYTHONPATH=bench/peers $(RUN)/python bench/measure.py $(ARGS)

.PHONY: bench-guard
bench-guard: .venv/.synced ## Say what has become slower by more than a tenth (ARGS="--record" to start anew)
	@$(RUN)/python bench/guard.py $(ARGS)

.PHONY: differential
differential: .venv/.synced ## Hold the engine beside graphql-core (ARGS="--seed 7")
	$(RUN)/python -m tests.differential $(ARGS)

.PHONY: equality
equality: .venv/.synced ## The same for very many operations, as long as it takes (ARGS="--cases 1000000")
	nice -n 19 $(RUN)/python bench/engine_equality.py $(ARGS)

.PHONY: simulate
simulate: .venv/.synced ## Let the BFF live for hours among failing services (ARGS="--hours 100 --processes 4")
	nice -n 10 $(RUN)/python bench/simulate.py $(ARGS)

.PHONY: explorer
explorer: explorer/node_modules/.installed ## Rebuild the explorer into bff/static/
	npm --prefix explorer run build

.PHONY: explorer-check
explorer-check: explorer/node_modules/.installed ## Check the explorer's source, and that bff/static/ is built from it
	npm --prefix explorer run check
	npm --prefix explorer run verify

##@ Set up
.PHONY: debian
debian: ## Install what the tests want of Debian's packages, where it is missing (root only)
	@deploy/debian.sh

.PHONY: clean
clean: ## Remove what was built and installed here
	rm -rf .venv .tools explorer/node_modules dist .coverage .*_cache .hypothesis

.PHONY: help
help:
	@awk -F ':.*## ' '/^##@/ {print "\n" substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

ifeq ($(origin PYTHON),command line)
.venv/.synced: asked-for
.PHONY: asked-for
endif

# An environment that was interrupted while it was made or removed is made again.
ifneq ($(wildcard .venv/.synced),)
ifneq ($(shell .venv/bin/python -c 'import bff.cli' 2>/dev/null && echo whole),whole)
$(shell rm -rf .venv)
endif
endif

.venv/.synced: pyproject.toml uv.lock | $(filter $(UV_HOME)/%,$(UV))
	$(UV) sync --quiet --locked --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')"
	@touch $@

$(UV_HOME)/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 ...' >&2; exit 1; }
	$(PYTHON) -m venv $(UV_HOME)
	$(UV_HOME)/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

explorer/node_modules/.installed: explorer/package.json explorer/package-lock.json
	npm --prefix explorer ci --no-audit --no-fund
	@touch $@
