# Needs Python 3.11 or newer with pip and venv, nothing else. Each target installs what it needs into .venv.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed
TOOLS := $(VENV)/.tools
NEW_ENOUGH := 'import sys; sys.exit(sys.version_info < (3, 11))'

# Compiling the tests takes each process ten seconds, so what is compiled is kept.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run playground doctor test check bench lock web web-check screenshots sbom soak

help: ## lists the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(INSTALLED) ## starts the bot with the settings in .env; without a .env, the playground
	@if [ -f .env ]; then exec $(RUN) -m bot; else exec $(RUN) -m playground; fi

playground: $(INSTALLED) ## starts the playground: the bot with a simulated Slack, CodeShip and GitHub
	@exec $(RUN) -m playground

doctor: $(INSTALLED) ## tests the settings and credentials in .env
	@$(RUN) -m bot check

test: $(TOOLS) ## runs the quick tests, in parallel
	$(RUN) -m pytest -m "not slow" --hypothesis-profile $(EXAMPLES) $(PARALLEL)

check: $(TOOLS) ## checks format, lint and types, and runs all tests, as CI does
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m mypy
	@$(MAKE) --no-print-directory test EXAMPLES=full
	$(RUN) -m pytest -m "slow and not serial" $(PARALLEL)
	$(RUN) -m pytest -m serial

bench: $(TOOLS) ## measures the bot and others, and writes docs/benchmarks.md (minutes, on an idle machine)
	@$(RUN) -m bench

lock: $(INSTALLED) ## updates all requirements*.txt to the newest versions
	$(RUN) -m pip install --quiet --disable-pip-version-check 'uv>=0.8'
	$(LOCK) pyproject.toml --output-file requirements.txt
	$(LOCK) pyproject.toml --output-file requirements-playground.txt --extra playground
	$(LOCK) pyproject.toml --output-file requirements-dev.txt --all-extras
	$(LOCK) bench/slack_machine/requirements.in --output-file bench/slack_machine/requirements.txt

# The built page is checked in: only a change of playground/web/ needs Node, 20.19 or newer.
web: ## builds the playground's page from playground/web/
	cd playground/web && npm ci --no-audit --no-fund && npm run build

sbom: $(TOOLS) ## writes the bot's packages to sbom.cdx.json (CycloneDX)
	@$(RUN) -W ignore::UserWarning -m cyclonedx_py requirements requirements.txt --pyproject pyproject.toml \
		--output-reproducible --output-file sbom.cdx.json

web-check: ## builds the page again, and fails if it differs from the one that is checked in
	cd playground/web && npm ci --no-audit --no-fund && PLAYGROUND_PAGE="$$PWD/.check" npm run build
	diff -r playground/web/.check playground/static

soak: $(TOOLS) ## kills the bot 200 times under load, and counts duplicates and lost answers (10 minutes; needs PostgreSQL)
	@$(RUN) -m tests.killing.soak $(SOAK)

screenshots: $(TOOLS) ## makes the README's pictures from a real conversation (needs Chromium)
	$(RUN) -m tests.browser.screenshots

# One lock for every system and every Python from 3.11 on. No address of a package index gets into it.
LOCK = $(RUN) -m uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

# How many examples a property is tested with: tests/conftest.py.
EXAMPLES := quick

# Not by file: a few files contain most of the tests.
PARALLEL = -n logical --dist worksteal

# $(call install,LOCK) keeps a .venv that works, makes one if there is none, and installs the lock into it. A .venv without
# pip, or whose Python is too old or gone, is made again.
define install
	@{ $(RUN) -c $(NEW_ENOUGH) && $(RUN) -m pip --version; } >/dev/null 2>&1 || { \
		$(PYTHON) -c $(NEW_ENOUGH) 2>/dev/null || { \
			echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) -V 2>/dev/null || echo missing)." >&2; \
			echo "Say which to use: make $(firstword $(MAKECMDGOALS)) PYTHON=python3.13" >&2; exit 1; }; \
		echo "Making $(VENV) …"; $(PYTHON) -m venv --clear $(VENV); }
	@echo "Installing $(1) into $(VENV) …"
	@$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1)
endef

$(INSTALLED): requirements-playground.txt
	$(call install,$<)
	@touch $@

# The larger lock holds the smaller one, so that `make run` has nothing to do after `make test`.
$(TOOLS): requirements-dev.txt requirements-playground.txt
	$(call install,$<)
	@touch $(INSTALLED) $@
