# Every way to work on Blytz. `make` alone lists them.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
SOURCES := kernel servicekit svc_auction svc_identity svc_payment svc_realtime stack toolchain \
           clients/python benchmarks tests

.DEFAULT_GOAL := help

help: ## list what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/installed: requirements.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Blytz needs Python 3.11 or newer")'
	@echo "installing the locked packages (about a minute, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@printf '%s\n' "$(CURDIR)" "$(CURDIR)/gen/python" "$(CURDIR)/clients/python" \
	> "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/blytz.pth"
	@printf '#!/bin/sh\nexec "%s/$(BIN)/python" -m stack "$$@"\n' "$(CURDIR)" > $(BIN)/blytz
	@chmod +x $(BIN)/blytz
	@touch $@

install: .venv/installed ## install the locked packages into .venv

up: install ## run the whole mesh and the page; Ctrl-C stops it
	@$(BIN)/blytz up

down: install ## stop a mesh that runs in the background
	@$(BIN)/blytz down

demo: install ## let sellers and bots make the running mesh lively
	@$(BIN)/blytz demo

test: install ## run all tests on real embedded servers
	@$(BIN)/python -m pytest

gen: install ## derive stubs, gateway and reference from the contracts
	@$(BIN)/python -m toolchain gen

check: install ## lint, types, layers, contracts and drift; changes nothing
	@$(BIN)/ruff format --check --quiet $(SOURCES) || { echo "run: make format"; exit 1; }
	@$(BIN)/ruff check --quiet $(SOURCES)
	@$(BIN)/mypy $(SOURCES)
	@$(BIN)/lint-imports
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory edge/web/node_modules; fi
	@$(BIN)/python -m toolchain check
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory page-check; \
	else echo "page: not compared, there is no Node here"; fi

format: install ## format the Python sources
	@$(BIN)/ruff format $(SOURCES)
	@$(BIN)/ruff check --fix $(SOURCES)

edge/web/node_modules: edge/web/package-lock.json
	@cd edge/web && npm ci --silent --no-audit --no-fund
	@touch $@

page: edge/web/node_modules ## build the page (needs Node)
	@cd edge/web && npm run --silent build

page-check: edge/web/node_modules
	@cd edge/web && npm run --silent check
	@cd edge/web && npm run --silent build
	@git diff --exit-code --stat -- edge/web/dist && test -z "$$(git status --porcelain edge/web/dist)" \
	|| { echo "edge/web/dist is not what its sources build: run make page and commit it"; exit 1; }

bench: install ## measure bids and feeds, as ratios within one run
	@$(BIN)/python -m benchmarks.bid
	@$(BIN)/python -m benchmarks.feed

lock: install ## pin requirements.in anew, with hashes (needs uv)
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-header requirements.in -o requirements.lock

clean: ## remove what `make up` keeps in .blytz
	@rm -rf .blytz

.PHONY: help install up down demo test gen check format page page-check bench lock clean
