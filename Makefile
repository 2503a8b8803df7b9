# run, test, bench, clean; each says what it installs. Debian 12, Swift 6.3.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

DATA ?= data
LISTEN ?= 127.0.0.1:9000
ADMIN ?= 127.0.0.1:9001
# How many seeds of the simulation a test runs.
SEEDS ?= 250
# The build that the tests with real clients run against: debug or release.
TIDEGATE_CONFIGURATION ?= release
# For the tests alone: the gateway takes what begins with TIDEGATE_ for its settings, and warns of what is none.
unexport TIDEGATE_CONFIGURATION

# Every Debian package that anything here needs, in one place.
BUILD_PACKAGES := libisal-dev libxxhash-dev libssl-dev libxml2-dev libsqlite3-dev libcurl4-openssl-dev pkg-config
TEST_PACKAGES := python3 python3-venv openssl nginx-light rclone s3cmd restic s3fs fiu-utils
HOSTILE_PACKAGES := testssl.sh
BENCH_PACKAGES := python3 python3-venv openssl nginx-light wrk gcc libc6-dev ceph ceph-common radosgw

VENV := .build/venv
PYTHON := $(VENV)/bin/python
TESTED := TIDEGATE_CONFIGURATION=$(TIDEGATE_CONFIGURATION)
PYTEST := $(TESTED) $(PYTHON) -m pytest -c Tests/pytest.ini --rootdir Tests

# $(call install,PACKAGE…) installs what is missing, as root or through sudo, and says so. Services that a package brings are not started.
define install
@missing=""; for package in $(1); do \
	dpkg-query -W -f='$${Status}' "$$package" 2>/dev/null | grep -q 'install ok installed' || missing="$$missing $$package"; \
done; \
if [ -n "$$missing" ]; then \
	echo "Installing Debian packages:$$missing"; \
	as_root=""; [ "$$(id -u)" = 0 ] || as_root="sudo"; \
	$$as_root apt-get update -qq; \
	$$as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
fi
endef

.PHONY: help
help: ## Lists these commands
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E -e 's/:[^#]*## /\t/' -e 's|\$$\(LISTEN\)|$(LISTEN)|; s|\$$\(DATA\)|$(DATA)|' | expand -t 16

.PHONY: run
run: release ## Builds, and serves S3 on $(LISTEN) with the data in ./$(DATA)
	.build/release/tidegate serve --data $(DATA) --listen $(LISTEN) --admin $(ADMIN) \
		--set policies-directory=policies

.PHONY: release
release: packages ## Builds the release binary, .build/release/tidegate
	swift build -c release --product tidegate

.PHONY: build
build: packages ## Builds the debug binary and the tests
	swift build --build-tests

.PHONY: test
test: unit remote simulation blackbox allocations containers ## Everything: units, other S3 servers, simulation, clients, conformance, faults, histories, hostile scenes, allocations, containers

.PHONY: unit
unit: build ## The tests in Swift, two targets at a time
	python3 Tests/Harness/units.py

.PHONY: remote
remote: build test-packages venv ## The laws of blob stores against real S3 servers, and servers that lie
	$(PYTEST) Tests/Remote
	$(PYTHON) Tests/Remote/run

.PHONY: remote-load
remote-load: packages test-packages venv ## What a GiB costs through a bucket of other S3 servers
	swift build -c release --product remote-load
	$(PYTHON) Tests/Remote/run --measure

.PHONY: simulation
simulation: packages venv ## Some hundreds of seeds of the simulated gateway; one of them: make simulation SEED=123
	swift build -c release --product simulate
	$(PYTHON) Tests/SimulationTests/prove --state .build/simulation.json \
		--first $(or $(SEED),1) --seeds $(if $(SEED),1,$(SEEDS))

.PHONY: blackbox
blackbox: binary test-packages venv ## Backends, and the next five, three files at a time
	$(PYTEST) --numprocesses 3 --dist loadfile Tests/Backends Tests/Clients Tests/Conformance Tests/Faults \
		Tests/Histories Tests/Hostile

.PHONY: clients
clients: binary test-packages venv ## Real S3 clients against the real binary, plain and over TLS
	$(PYTEST) Tests/Clients

.PHONY: conformance
conformance: binary test-packages venv ## Each S3 operation's answers and errors against the real binary
	$(PYTEST) Tests/Conformance

.PHONY: faults
faults: binary test-packages venv ## A small share of the fault tests: kills, full disks, failing calls, lost directories
	$(PYTEST) Tests/Faults

.PHONY: histories
histories: binary test-packages venv ## Histories of concurrent clients and kills, checked for linearizability
	$(PYTEST) Tests/Histories

.PHONY: hostility
hostility: binary test-packages venv ## A small share of the hostile scenes: crowds, broken-off bodies, slow clients, TLS
	$(PYTEST) Tests/Hostile

.PHONY: hostile
hostile: release test-packages hostile-packages venv ## Every hostile scene whole, against the release binary
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r Tests/Hostile/requirements.txt
	TIDEGATE_CONFIGURATION=release $(PYTHON) Tests/Hostile/hostile

# How long each parser is fed.
SECONDS_EACH := $(if $(filter command line,$(origin SECONDS)),$(SECONDS),180)

.PHONY: fuzz
fuzz: packages ## Lets libFuzzer feed every parser: make fuzz SECONDS=180 [PARSERS="form xml"]
	Tests/Fuzzing/run --seconds $(SECONDS_EACH) $(PARSERS)

.PHONY: sanitize
sanitize: packages ## The tests in Swift under the address sanitizer, then under the thread sanitizer
	SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0 \
		swift test --no-parallel --sanitize=address --scratch-path .build/address -Xswiftc -use-ld=lld
	SWIFT_BACKTRACE=enable=no \
		swift test --no-parallel --sanitize=thread --scratch-path .build/thread -Xswiftc -use-ld=lld

.PHONY: allocations
allocations: release venv ## How often the release build asks for memory, against the figures that are checked in
	$(PYTHON) Tests/Benchmarks/allocations

.PHONY: soak
soak: release venv ## Two hours of mixed load with faults: what the gateway holds must not grow
	TIDEGATE_CONFIGURATION=release $(PYTHON) Tests/Soak/soak

.PHONY: containers
containers: venv ## What can be checked of Dockerfile and docker-compose.yml without an engine
	$(PYTEST) Tests/Containers

.PHONY: prove
prove: binary test-packages venv ## The long shares, for hours; goes on where it was interrupted
	$(TESTED) $(PYTHON) Tests/Histories/prove
	$(TESTED) $(PYTHON) Tests/Faults/prove
	swift build -c release --product simulate
	$(PYTHON) Tests/SimulationTests/prove
	$(MAKE) prove-backends

.PHONY: prove-backends
prove-backends: build release bench-packages test-packages venv ## Pools over two Ceph clusters and other servers: suites, outages, recovery, drain, ratios
	swift build -c release --product workbench
	TIDEGATE_CONFIGURATION=release $(PYTHON) Tests/Backends/prove

.PHONY: s3-tests
s3-tests: binary test-packages venv ## ceph/s3-tests: make s3-tests SUITE=path/to/checkout
	$(TESTED) $(PYTHON) Tests/Conformance/run-s3-tests "$(SUITE)"

.PHONY: binary
binary: packages
	swift build -c $(TIDEGATE_CONFIGURATION) --product tidegate

.PHONY: bench
bench: release bench-packages venv ## Ratios against nginx, SeaweedFS, Ceph RGW, openssl and ISA-L on this machine
	swift build -c release --product workbench
	$(PYTHON) Tests/Benchmarks/bench

.PHONY: lint
lint: ## The format of every Swift file
	swift format lint --strict --recursive --parallel --configuration .swift-format Sources Tests Package.swift

.PHONY: format
format: ## Formats every Swift file
	swift format --in-place --recursive --parallel --configuration .swift-format Sources Tests Package.swift

.PHONY: packages
packages:
	$(call install,$(BUILD_PACKAGES))

.PHONY: test-packages
test-packages:
	$(call install,$(TEST_PACKAGES))

.PHONY: hostile-packages
hostile-packages:
	$(call install,$(HOSTILE_PACKAGES))

.PHONY: bench-packages
bench-packages:
	$(call install,$(BENCH_PACKAGES))

.PHONY: venv
venv: $(VENV)/.requirements

# Clients and pytest, of pinned versions, from the Python index that pip is configured for; nothing outside .build is touched.
$(VENV)/.requirements: Tests/requirements.txt
	@echo "Installing the Python packages of Tests/requirements.txt into $(VENV)"
	python3 -m venv $(VENV)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r Tests/requirements.txt
	cp Tests/requirements.txt $@

.PHONY: clean
clean: ## Removes what was built; ./data stays
	swift package clean
	rm -rf .build
