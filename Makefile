# Two commands do everything: `make demo` and `make test`. `make help` lists the rest.
PYTHON ?= python3
CDP := .venv/bin/cdp
PYTEST := .venv/bin/python -m pytest
# How many small stacks there are at once: their tests wait as much as they work. Each has 2,000
# ports of its own, from the first one; stacks of other targets begin at CDP_TEST_PORTS.
STORE_WORKERS ?= 3
# What needs no sample: it has stacks of its own, and runs beside the rest of engine.
ASIDE := tests/engine/dbt_suite $(addprefix tests/engine/test_,$(addsuffix .py,transform rest_catalog \
    iceberg_macros iceberg_contracts iceberg_strategies iceberg_types macros drift))
# --full runs whole matrices and long populations, too: `make test-all`.
TEST_OPTIONS ?=
# Targets beside one another, each with its output in one piece: much of a test is waiting.
TOGETHER := $(MAKE) --no-print-directory --jobs 3 --output-sync=target
.DEFAULT_GOAL := help
.PHONY: help demo test test-unit test-store test-engine test-engine-shared \
    test-engine-aside test-faults test-all up down airflow cluster lint format docs dictionary bench lock \
    install install-models install-dev install-airflow clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: install ## install everything, and bring the real sample to answers in Trino
	@$(CDP) demo

test: install-dev install-airflow ## install everything, lint, and run the tests on stacks of their own
	@$(TOGETHER) lint test-unit test-store test-engine-shared test-engine-aside test-faults

test-all: ## the same with whole matrices and long populations, as every night
	@$(MAKE) --no-print-directory test TEST_OPTIONS=--full

test-unit: install-dev ## the tests that need no service
	@$(PYTEST) -n auto tests/unit $(TEST_OPTIONS)

test-store: install-dev ## the tests that need the object store, its catalog and Postgres
	@$(PYTEST) -n $(STORE_WORKERS) tests/store $(TEST_OPTIONS)

test-engine: test-engine-shared test-engine-aside ## the tests that need Spark and Trino

test-engine-shared: install-dev
	@tests/browser --install >/dev/null || true
	@CDP_TEST_PORTS=6000 $(PYTEST) tests/engine $(addprefix --ignore=,$(ASIDE)) $(TEST_OPTIONS)

test-engine-aside: install-dev
	@CDP_TEST_PORTS=8000 $(PYTEST) $(ASIDE) $(TEST_OPTIONS)

test-faults: install-dev install-airflow ## the tests that kill, end or start again what others share
	@CDP_TEST_PORTS=10000 $(PYTEST) tests/faults $(TEST_OPTIONS)

up: install ## start the local services
	@$(CDP) up

down: install ## end the local services; data stays
	@$(CDP) down

airflow: install install-airflow ## start Airflow beside the services, and say where to look
	@$(CDP) up --with airflow
	@$(CDP) airflow

cluster: install ## start the services as a cluster: Spark with two workers, Trino with one
	@$(CDP) up --with spark-cluster --with trino-worker
	@$(CDP) status

lint: install-dev ## ruff, mypy, sqlfluff, yamllint
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/sqlfluff lint --processes 2 models macros snapshots tests/data
	.venv/bin/yamllint --strict .

format: install-dev ## mend what the linters can mend by themselves
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .
	.venv/bin/sqlfluff fix --processes 2 models macros snapshots tests/data

docs: up ## generate the dbt docs into one file to open: target/static_index.html
	@eval "$$($(CDP) env)" && .venv/bin/dbt docs generate --static

dictionary: install ## write docs/data-dictionary.md from the models' descriptions
	@eval "$$($(CDP) env)" && .venv/bin/dbt --quiet parse && .venv/bin/python -m cdp.dictionary

bench: demo install-dev install-airflow ## run the benchmarks; results go to docs/benchmarks.md
	@.venv/bin/python -m bench.statements
	@$(CDP) down
	@.venv/bin/python -m bench.startup
	@.venv/bin/python -m bench.compilers
	@.venv/bin/python -m bench.ingest
	@.venv/bin/python -m bench.transform
	@.venv/bin/python -m bench.publish
	@.venv/bin/python -m bench.orchestration
	@.venv/bin/python -m bench.lineage
	@$(CDP) up
	@.venv/bin/python -m bench.train
	@$(CDP) up --with postgres
	@.venv/bin/python -m bench.capture

lock: install ## resolve the requirements and the Maven artifacts, and lock them with hashes
	@for name in bootstrap runtime models dev airflow jre-spark jre-trino; do \
	    (cd requirements && ../.venv/bin/uv pip compile --quiet --universal --python-version 3.11 \
	        --generate-hashes --no-header --no-emit-index-url $(LOCK_OPTIONS) \
	        $$name.in -o $$name.txt) || exit 1; \
	done
	@$(CDP) provision --lock

install:
	@$(PYTHON) -I cdp/bootstrap.py runtime

install-models: ## install what trains and registers models
	@$(PYTHON) -I cdp/bootstrap.py models

install-dev:
	@$(PYTHON) -I cdp/bootstrap.py dev

install-airflow:
	@$(PYTHON) -I cdp/bootstrap.py airflow

clean: ## end the services; remove the environment, the data and the credentials of this checkout
	@if [ -x $(CDP) ]; then $(CDP) down && CDP_STATE_DIR=.cdp $(CDP) down --data; fi
	rm -rf .cdp .cdp-test .venv .venv-airflow target logs .mypy_cache .pytest_cache .ruff_cache
