# Everything one does with this project; `make help` lists it. Needs Python 3.11 or later, and nothing else.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup demo test up down bench chaos check

# The newest Python that we know; PYTHON=... chooses another.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3.14 python3 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
PORTS = $(if $(HTTP_PORT),--http-port $(HTTP_PORT))
VENV := .venv/bin

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## 准备环境  set up .venv from requirements.lock, if missing or changed
	@test -n "$(PYTHON)" || { echo "需要 Python 3.11 或更高版本  Python 3.11 or later is needed"; exit 1; }
	@"$(PYTHON)" stack/bootstrap.py

demo: setup ## 演示  the whole journey; DATA=dir ONCE=1 REPORT=file.json HTTP_PORT=n
	@$(VENV)/shanhai demo --data "$(or $(DATA),.data/demo)" $(PORTS) \
		$(if $(filter-out 0,$(ONCE)),--once) $(if $(REPORT),--report "$(REPORT)")

test: setup ## 测试  every test, with coverage
	@$(VENV)/python -m pytest --cov --cov-report=term $(PYTEST)

up: setup ## 启动  the system in the background; DATA=dir HTTP_PORT=n
	@$(VENV)/shanhai up --detach --data "$(or $(DATA),.data/local)" $(PORTS)

down: setup ## 停止  end it; its state stays
	@$(VENV)/shanhai down --data "$(or $(DATA),.data/local)"

bench: setup ## 测速  what bench/ measures, at full length
	@$(VENV)/python -m bench

# Where the other negative controls are: see tests/chaos/README.md. The last lines draw new examples each time.
CONTROLS := tests/e2e/test_runbooks.py tests/e2e/test_tenants.py tests/e2e/test_check.py tests/e2e/test_topics.py \
	$(addprefix tests/integration/,shared/test_flow_kafka.py transport/test_claims.py \
	recruitment/test_claims.py recruitment/test_groups_stateful.py \
	lodging/test_race.py lodging/test_journey.py stack/test_invariants.py registry/test_nominations.py registry/test_killed.py) \
	$(addprefix tests/unit/,registry/test_readers.py registry/test_worksheets.py registry/test_columns.py \
	shared/test_partitions.py transport/test_pool.py) tests/contract/test_garbage.py
chaos: setup ## 混沌  what tests/chaos/ breaks, at full length
	@SHANHAI_FULL_LENGTH=1 $(VENV)/python -m pytest -s $(CONTROLS) tests/chaos $(PYTEST)

check: setup ## 检查  lint, types, import directions, Dockerfile
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check .
	@$(VENV)/mypy
	@$(VENV)/lint-imports
	@$(VENV)/hadolint Dockerfile
