# One virtual environment, one stamp file in it for each extra of setup.cfg that is installed.
VENV := .venv
HOST ?= 127.0.0.1
PORT ?= 8000
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && echo $$python && break; done)

# Most tests wait for a server, so two run side by side on each core.
JOBS ?= $(shell $(PYTHON) -c 'import os; print(min(8, 2 * (os.cpu_count() or 1)))')

# In a container the demonstration may have to run as root; the server says so.
AS_ROOT = $(if $(filter 0,$(shell id -u)),WSGIMATCH_ALLOW_ROOT=1)

.DEFAULT_GOAL := help
.PHONY: help serve test test-all coverage lint types docs package conformance fuzz load chaos bench clean

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "No Python 3.10 or newer found; name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/with-%: setup.cfg pyproject.toml | $(VENV)/bin/python
	@echo "Installing django-wsgimatch[$*] into $(VENV)"
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@

serve: $(VENV)/with-demo ## serve the demonstration site (PORT=8000, HOST=127.0.0.1)
	@$(VENV)/bin/python manage.py migrate --verbosity 0
	@$(VENV)/bin/python manage.py demo --address http://$(HOST):$(PORT)
	@exec env $(AS_ROOT) $(VENV)/bin/gunicorn --bind $(HOST):$(PORT) --threads 4 --no-control-socket django_wsgimatch.wsgi

test: $(VENV)/with-demo $(VENV)/with-test ## run the tests: every behaviour, some cases of each matrix
	$(VENV)/bin/python -m pytest --numprocesses $(JOBS) --dist worksteal $(ALL) $(PYTEST_OPTIONS)

test-all: ALL = --thorough
test-all: test ## run every test, all cases of every matrix

coverage: ALL = --thorough --cov
coverage: test ## run every test, and say which lines none of them runs

lint: $(VENV)/with-lint ## check the style
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: $(VENV)/with-demo $(VENV)/with-test $(VENV)/with-types ## check the types
	$(VENV)/bin/python -m mypy

docs: $(VENV)/with-docs ## build the documentation into docs/_build
	$(VENV)/bin/python -m sphinx --quiet --fail-on-warning --keep-going docs docs/_build

package: $(VENV)/with-package ## build the wheel and the sdist into dist
	rm -rf build dist
	$(VENV)/bin/python -m build
	$(VENV)/bin/python -m twine check --strict dist/*

conformance: $(VENV)/with-test ## compare random requests with the installed Apache + mod_wsgi
	$(VENV)/bin/python -m tests.conformance.tables
	$(VENV)/bin/python -m tests.conformance.mod_alias
	$(VENV)/bin/python -m tests.conformance.daemon
	$(VENV)/bin/python -m tests.conformance.imports
	$(VENV)/bin/python -m tests.conformance.silence
	$(VENV)/bin/python -m tests.conformance.access
	$(VENV)/bin/python -m tests.conformance.sites.site_access
	$(VENV)/bin/python -m tests.conformance.proxies
	$(VENV)/bin/python -m tests.conformance.around.extras
	$(VENV)/bin/python -m tests.conformance.around.rewriting
	$(VENV)/bin/python -m tests.conformance.around.error_pages
	$(VENV)/bin/python -m tests.conformance.first_files.comparing
	$(VENV)/bin/python -m tests.conformance.exports
	$(VENV)/bin/python -m tests.conformance.whole_sites.own

fuzz: $(VENV)/with-test ## compare patterns and their cost with libpcre2, the index with a scan, plans with the corridor, Apache files and static files with Apache, lie to the relay, to status and to root's process
	$(VENV)/bin/python -m tests.fuzz.patterns
	$(VENV)/bin/python -m tests.fuzz.redos
	$(VENV)/bin/python -m tests.fuzz.index
	$(VENV)/bin/python -m tests.fuzz.plans
	$(VENV)/bin/python -m tests.fuzz.apache
	$(VENV)/bin/python -m tests.fuzz.relay
	$(VENV)/bin/python -m tests.fuzz.boards
	$(VENV)/bin/python -m tests.fuzz.files
	$(VENV)/bin/python -m tests.fuzz.starter

load: $(VENV)/with-demo $(VENV)/with-test ## kill, renew and reconfigure groups and replicas under load, and count what is lost
	$(VENV)/bin/python -m tests.load.groups
	$(VENV)/bin/python -m tests.load.replicas

chaos: $(VENV)/with-test ## inject faults of all kinds under load for 10 minutes, and count what does not heal
	$(VENV)/bin/python -m tests.chaos.run

bench: $(VENV)/with-bench $(VENV)/with-test ## measure side by side with others, into docs/benchmarks
	@status=0; for name in index tables dispatch sites checks imports servers site_servers files groups fleet; do \
		$(VENV)/bin/python -m benchmarks.$$name --output docs/benchmarks || status=1; done; \
	grep --no-filename MISSED docs/benchmarks/*.json; exit $$status

clean: ## remove all that make has made
	rm -rf $(VENV) build dist docs/_build testproject/var .coverage* .mypy_cache .pytest_cache .ruff_cache .tox *.egg-info
