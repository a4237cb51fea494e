# The two commands: `make quickstart` and `make test`. Each sets up what it needs on a fresh Debian machine that has Swift
# and Python, and can be run again at any time.

SHELL := /bin/bash
.DELETE_ON_ERROR:

VENV := .venv
PYTHON := $(VENV)/bin/python
# uv does not read pip's find-links by itself.
ifneq ($(PIP_FIND_LINKS),)
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)
endif
# Image environments are shared by the servers that tests and benchmarks start; a server of one's own keeps them in its home.
test test-e2e test-e2e-only screenshots bench: export TAKUMI_ENVIRONMENTS ?= $(CURDIR)/.cache/environments
DEBUG := .build/debug/takumi
RELEASE := .build-release/release/takumi
SWIFT_DEBUG := swift build
SWIFT_RELEASE := swift build -c release --static-swift-stdlib --scratch-path .build-release

.PHONY: build run quickstart test test-unit test-e2e lint format bench setup setup-test screenshots clean

build: setup
	$(SWIFT_RELEASE) --product takumi
	mkdir -p bin && ln -f $(RELEASE) bin/takumi

# With uv from the virtual environment, where the machine has none.
WITH_UV := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"

run: build $(VENV)/.ready
	$(WITH_UV) bin/takumi serve

quickstart: build $(VENV)/.ready
	$(WITH_UV) Scripts/quickstart.sh bin/takumi

test: setup-test
	$(SWIFT_DEBUG) --build-tests
	swift test --skip-build --parallel
	$(MAKE) --no-print-directory test-e2e-only

test-unit: setup
	$(SWIFT_DEBUG) --build-tests
	swift test --skip-build --parallel

test-e2e: setup-test
	$(SWIFT_DEBUG) --product takumi
	$(SWIFT_DEBUG) --product GatewayHost
	$(MAKE) --no-print-directory test-e2e-only

.PHONY: test-e2e-only
test-e2e-only:
	TAKUMI_BIN=$(CURDIR)/$(DEBUG) $(WITH_UV) $(PYTHON) -m pytest Tests/EndToEndTests -q --durations=10

lint:
	swift format lint --strict --recursive --parallel Package.swift Sources Tests
	Scripts/check-house.sh
	Scripts/list-files.sh --check

format:
	swift format --in-place --recursive --parallel Package.swift Sources Tests

bench: build setup-test
	for tool in wrk nginx h2load java; do command -v $$tool >/dev/null || missing=1; done; [ -z "$$missing" ] || \
		apt-get install -y -qq --no-install-recommends wrk nginx-light nghttp2-client openjdk-17-jre-headless
	$(WITH_UV) $(PYTHON) Benchmarks/run.py bin/takumi

# The pictures of docs/console.md, made by the tests' own script.
screenshots: setup-test
	$(SWIFT_DEBUG) --product takumi
	TAKUMI_BIN=$(CURDIR)/$(DEBUG) $(WITH_UV) $(PYTHON) Tests/EndToEndTests/screenshots.py docs/images \
		$(sort $(basename $(notdir $(shell grep -oh 'images/[a-z-]*\.png' docs/console.md README.md))))

setup:
	Scripts/setup.sh

setup-test: setup $(VENV)/.ready
	Tests/EndToEndTests/setup.sh
	$(WITH_UV) uv pip install --quiet --python $(PYTHON) -r Tests/EndToEndTests/requirements.txt

$(VENV)/.ready:
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet uv
	touch $@

clean:
	rm -rf bin $(VENV) .cache .build .build-release
