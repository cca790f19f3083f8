# Everything runs from .venv, which `make setup` builds from the locked requirements.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SITE_VENV := .venv-site
export HELM ?= helm
KUBECONFORM ?= kubeconform
# Kinds of other projects' definitions have no schema there; they are named, so that a typing error of ours is none of them.
CONFORM ?= -kubernetes-version 1.33.0 -skip CiliumNetworkPolicy,ScaledObject,TriggerAuthentication,PodMonitor,PrometheusRule

# Tests start many processes, and each would compile anew whatever it imports.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(STAMP) ## Make .venv with everything locked (uv when present, else pip)

$(STAMP): requirements-dev.lock pyproject.toml
	@echo "Making $(VENV) (once; a minute or two with pip, seconds with uv)"
	@if command -v uv >/dev/null 2>&1; then \
		uv venv --quiet --allow-existing --python "$(PYTHON)" $(VENV) && \
		uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements-dev.lock && \
		uv pip install --quiet --python $(BIN)/python --no-deps --editable .; \
	else \
		$(PYTHON) -m venv $(VENV) && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .; \
	fi
	@$(BIN)/python -m compileall -q bot handlers workers
	@touch $(STAMP)

.PHONY: test
test: setup ## Run the tests
	$(BIN)/python -m pytest -q -n auto --dist loadfile

.PHONY: coverage
coverage: setup ## Run the tests, and show which lines none of them reaches
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -q -n auto --dist loadfile --timeout 180
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

.PHONY: chaos
chaos: setup ## Run every fault of operation, and the stories that wait for limits to strike (CHAOS_SEED=1)
	$(BIN)/python -m pytest -q -n auto --dist loadfile -m chaos

.PHONY: fuzz
fuzz: setup ## Inputs made by chance at every entrance (FUZZ="--inputs 1000000 --seed 1"); what breaks is kept
	@$(BIN)/python -m benchmarks.fuzz $(FUZZ)

.PHONY: load
load: setup ## A hundred questions at once: acknowledgements, answers
	@$(BIN)/python -m benchmarks.load

.PHONY: soak
soak: setup ## Two questions a second for an hour (SOAK="--minutes 60 --rate 2"): memory, descriptors, keys
	@$(BIN)/python -m benchmarks.soak $(SOAK)

.PHONY: laws
laws: setup ## The rows that make test leaves out, and the laws against forty times as many examples (minutes)
	$(BIN)/python -m pytest -q -n auto --dist loadfile -m thorough
	LAWS=40 $(BIN)/python -m pytest -q -n auto --timeout 900 -m hypothesis

.PHONY: losses
losses: setup ## Take or cut every file of every recorded fault's dump: no blocked question may be open (an hour)
	LOSSES=all $(BIN)/python -m pytest -q -n auto tests/scenarios/test_lost_evidence.py

.PHONY: lint
lint: setup ## Ruff, mypy --strict and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: demo
demo: setup ## Ask one question through the whole system about a sample sysdump, and print the answer
	@$(BIN)/python -m tools.demo

.PHONY: playground
playground: setup ## The whole system with a page that works like Slack (PLAYGROUND_PORT=3100)
	@$(BIN)/python -m tools.demo.playground

.PHONY: pictures
pictures: setup ## Draw the answers of docs/pictures in a headless Chromium, and measure them
	@$(BIN)/python -m tools.pictures

.PHONY: docs
docs: setup ## Write docs/commands.md, docs/alerts.md, docs/codes.md and docs/report-schema.json from the code
	@$(BIN)/python -m workers.docs docs

.PHONY: site
site: ## Build the documentation as a site into dist/site; a warning is an error (an environment of its own)
	@test -d $(SITE_VENV) || $(PYTHON) -m venv $(SITE_VENV)
	@$(SITE_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-docs.lock
	@NO_MKDOCS_2_WARNING=1 $(SITE_VENV)/bin/python -m mkdocs build --strict

.PHONY: tutorial
tutorial: setup ## Paste what the commands of docs/tutorial.md print into it
	@$(BIN)/python -m tools.tutorial

.PHONY: bench
bench: setup ## Time and memory: the command line on the sample sysdump, flows, questions on a small and a big cluster, the policy engine on clusters made by seed; a storm of alerts
	@$(BIN)/python benchmarks/cli.py
	@$(BIN)/python benchmarks/flows.py
	@$(BIN)/python benchmarks/cluster_size.py
	@$(BIN)/python benchmarks/policy.py
	@$(BIN)/python -m benchmarks.storm

.PHONY: dist
dist: setup ## Build the wheel and the sdist into dist/, and ask the wheel a question in an environment of its own
	@$(BIN)/python -m tools.dist

.PHONY: audit
audit: ## Look the locked dependencies up among known holes, and write what the image holds to dist/sbom.cdx.json
	@test -d .venv-release || $(PYTHON) -m venv .venv-release
	@.venv-release/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-release.lock
	@mkdir -p dist
	.venv-release/bin/pip-audit --strict --require-hashes --disable-pip -r requirements-dev.lock
	.venv-release/bin/pip-audit --strict --require-hashes --disable-pip -r requirements.lock --format cyclonedx-json --output dist/sbom.cdx.json

.PHONY: chart-files
chart-files: setup ## Write what is generated of the Helm chart: rights, schema, README, alerts, dashboard
	@$(BIN)/python -m tools.chart files

.PHONY: chart-rendered
chart-rendered: chart-files ## Write what the Helm chart renders to, which its tests read (needs helm)
	@$(BIN)/python -m tools.chart rendered

.PHONY: chart
chart: setup ## Lint, render and validate the Helm chart (needs helm and kubeconform; CONFORM says where schemas are)
	@$(BIN)/python -m tools.chart check
	$(HELM) lint --strict deploy/helm/cilium-triage
	$(KUBECONFORM) -strict -summary $(CONFORM) tests/chart/rendered

.PHONY: hooks
hooks: setup ## Have git run ruff, mypy and the import contracts before each commit
	@$(BIN)/pre-commit install

.PHONY: format
format: setup ## Rewrite the code in the house style
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

.PHONY: lock
lock: ## Resolve the dependencies again (needs uv)
	uv pip compile pyproject.toml --extra slack --extra otel --group dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade -o requirements-dev.lock
	uv pip compile pyproject.toml --extra slack --extra otel --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -c requirements-dev.lock -o requirements.lock
	uv pip compile --group docs --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade -o requirements-docs.lock
	uv pip compile --group release --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade -o requirements-release.lock

.PHONY: clean
clean: ## Remove what the other targets made
	rm -rf $(VENV) $(SITE_VENV) .venv-release dist .coverage* .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
