# Everything that is run by hand or by CI. `make up` and `make test` need only python3 (3.11+) and node.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
PY := .venv/bin/python
CDK := PATH=$(CURDIR)/.venv/bin:$$PATH npx --yes aws-cdk@2.1148.1
export PYTHONDONTWRITEBYTECODE :=
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION := 1
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20
export JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION := 1

.PHONY: help up demo test coverage pictures recording test-e2e test-engine soak test-sandbox test-opensearch smoke bench bench-files bench-sandbox bench-retrieval lint synth diff deploy lock tag clean
help:  ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.venv/installed: pyproject.toml requirements.lock
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; python3 is $$(python3 --version 2>&1)." >&2; exit 1; }
	command -v node > /dev/null || { echo "Node.js is needed (the CDK runs on it): apt-get install nodejs." >&2; exit 1; }
	[ -x $(PY) ] || python3 -m venv .venv || { echo "python3 has no venv: apt-get install python3-venv." >&2; exit 1; }
	$(PY) -m pip install --quiet --disable-pip-version-check 'uv>=0.9'
	.venv/bin/uv pip install --quiet --compile-bytecode --python $(PY) --requirement requirements.lock --editable .
	touch $@

# npm writes this file last, and again on every install.
NODE_SDK := tests/e2e/node/node_modules/.package-lock.json
$(NODE_SDK): tests/e2e/node/package.json tests/e2e/node/package-lock.json
	@command -v npm > /dev/null || { echo "npm is needed (it installs OpenAI's Node SDK for the tests): apt-get install npm." >&2; exit 1; }
	npm ci --silent --no-audit --no-fund --prefix tests/e2e/node
	touch $@

up: .venv/installed  ## install what is missing and serve the API on this machine
	@exec $(PY) -m infra.local

demo: .venv/installed  ## watch a streamed conversation with a function call on the local stack
	@exec $(PY) -m infra.local.demo

# The tests that call the package in their own process, where its coverage can be measured.
MEASURED := tests/unit tests/contract tests/integration
test: coverage  ## install what is missing and run every test that CI runs
	@$(PY) -m pytest $(MEASURED:%=--ignore=%)

coverage: .venv/installed $(NODE_SDK)  ## the first half of `make test`, and how much of the package it reaches
	@$(PY) -m coverage run -m pytest $(MEASURED)
	$(PY) -m coverage report

pictures: .venv/installed  ## draw the pictures of the documentation from what they show
	@$(PY) -m docs.drawing

recording: .venv/installed  ## record `make demo` for the documentation
	@.venv/bin/uv tool run --quiet asciinema@2.4.0 rec --quiet --overwrite --cols 110 --rows 32 --idle-time-limit 1.5 --env '' --title 'make demo' --command 'make demo' docs/demo.cast
	$(PY) -m docs.drawing

test-e2e: .venv/installed $(NODE_SDK)  ## only the official SDKs against the local stack
	@$(PY) -m pytest tests/e2e

test-engine: .venv/installed  ## try to break the run engine, for an hour instead of a minute
	@$(PY) -m pytest tests/engine --hypothesis-profile=long --timeout=7200

soak: .venv/installed  ## 1,000 runs of all kinds on the local stack, every one accounted for
	@$(PY) -m tests.engine.soak

test-sandbox: .venv/installed  ## only the code interpreter's daemon and the attacks on it
	@$(PY) -m pytest tests/abuse tests/unit/sandboxd

OPENSEARCH := tests/contract/opensearch/target/knn
$(OPENSEARCH): tests/contract/opensearch/pom.xml
	@command -v mvn > /dev/null || { echo "Maven is needed (it gathers an OpenSearch node): apt-get install maven." >&2; exit 1; }
	mvn --batch-mode --quiet --file tests/contract/opensearch/pom.xml validate
	touch $@

test-opensearch: .venv/installed $(OPENSEARCH)  ## the search index against a real OpenSearch node (needs Java 17 and Maven)
	@$(PY) -m pytest tests/contract/opensearch

smoke: .venv/installed $(NODE_SDK)  ## the e2e suite against BASE_URL with API_KEY (and MODEL, default demo)
	@[ -n "$${BASE_URL:-}" ] && [ -n "$${API_KEY:-}" ] || { echo "Usage: make smoke BASE_URL=https://…/v1 API_KEY=sk-…" >&2; exit 1; }
	$(PY) -m pytest tests/e2e --base-url "$$BASE_URL" --model "$${MODEL:-demo}"

bench: .venv/installed  ## count and time what runs cost; the table here, the numbers in .cache/bench.json
	@$(PY) -m tests.benchmarks
	$(PY) -m tests.benchmarks.engine
	$(PY) -m tests.benchmarks.concurrency

bench-files: .venv/installed  ## throughput, memory and AWS calls of files from 1 MB to 512 MB
	@$(PY) -m tests.benchmarks.files

bench-sandbox: .venv/installed  ## a code interpreter session: start, executions, files, memory, a run that executes code
	@$(PY) -m tests.benchmarks.sandbox

bench-retrieval: .venv/installed $(OPENSEARCH) $(MANUAL)  ## reading, searching and ranking, also on a real OpenSearch node
	@$(PY) -m tests.benchmarks.retrieval --opensearch --pdf $(MANUAL) $(ARGS)

lint: .venv/installed  ## formatting, lint rules, types, and the security of the workflows
	@.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/zizmor --offline --quiet .github

synth: .venv/installed  ## write the CloudFormation templates to cdk.out
	@$(PY) -m infra.app

diff: .venv/installed  ## compare the templates with what is deployed
	@$(CDK) diff $(ARGS)

deploy: .venv/installed  ## build and deploy both stacks to the AWS account of your credentials
	@$(CDK) deploy --all $(ARGS)

# The reference manual of R: 500 pages and more of real documentation, with tables, code and formulas.
MANUAL := .cache/manual/usr/share/R/doc/manual/fullrefman.pdf
$(MANUAL):
	@command -v apt-get > /dev/null || { echo "The manual comes from Debian's package r-doc-pdf: use Debian, or put a long PDF at $@." >&2; exit 1; }
	mkdir -p .cache/manual
	cd .cache/manual
	apt-get download --quiet --quiet r-doc-pdf || { echo "Debian's package r-doc-pdf cannot be downloaded: apt-get update." >&2; exit 1; }
	dpkg-deb --extract r-doc-pdf_*.deb .
	rm r-doc-pdf_*.deb

lock: .venv/installed  ## renew the pinned versions after a change of pyproject.toml
	@.venv/bin/uv pip compile --quiet --universal --no-header --no-annotate --generate-hashes pyproject.toml --output-file layers/dependencies/requirements.txt
	others=$$(sed -nE 's/^([A-Za-z0-9._-]+)==.*/--no-emit-package \1/p' layers/dependencies/requirements.txt)
	.venv/bin/uv pip compile --quiet --universal --no-header --no-annotate --generate-hashes --extra retrieval --constraint layers/dependencies/requirements.txt $$others pyproject.toml --output-file layers/retrieval/requirements.txt
	.venv/bin/uv pip compile --quiet --universal --no-header --no-annotate --all-extras --constraint layers/dependencies/requirements.txt pyproject.toml --output-file requirements.lock
	for set in core full; do .venv/bin/uv pip compile --quiet --no-header --no-annotate --python-version 3.13 --python-platform aarch64-manylinux_2_28 --only-binary :all: functions/sandbox/requirements/$$set.in --output-file functions/sandbox/requirements/$$set.txt; done

tag:  ## tag the version of the package; CHANGELOG.md must date it (docs/releasing.md)
	@version=$$(sed -nE 's/^__version__ = "(.+)"$$/\1/p' layers/assistants/python/assistants/__init__.py)
	grep -qE "^## \[$$version\] - [0-9]{4}-[0-9]{2}-[0-9]{2}$$" CHANGELOG.md || { echo "CHANGELOG.md does not date $$version." >&2; exit 1; }
	git diff --quiet HEAD || { echo "The working tree has changes that are not committed." >&2; exit 1; }
	git tag --annotate "v$$version" --message "Serverless Assistants $$version"

clean:  ## remove everything that the targets above made
	@rm -rf .venv .cache cdk.out tests/e2e/node/node_modules tests/contract/opensearch/target .pytest_cache .mypy_cache .ruff_cache
