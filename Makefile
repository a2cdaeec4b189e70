# What a developer does here, each as one word. `make` alone lists them. The work is in scripts/, so that it can be read,
# checked and run without make.

.DEFAULT_GOAL := help
BENCHMARKS := boot check chown exec logs
.PHONY: help demo test release debug install setup unit integration stress faults container packaging dist dist-check deb fuzz simulate \
	mutate bench $(addprefix bench-,$(BENCHMARKS)) endurance test-aarch64 test-glibc \
	lint check-format format clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## build the release and watch it boot, supervise and stop a few services
	@scripts/demo

test: ## everything: build, unit, format, lint, integration and container tests (sets itself up)
	@scripts/test

release: ## the shipped file: .build/release/hermes-init, static and stripped; ARCH=aarch64 for another machine
	@ARCH=$(ARCH) scripts/build release

debug: ## ordinary Swift, for tests and the debugger
	@scripts/build debug

install: ## the built file, manual pages and completions, below DESTDIR and PREFIX=/usr/local
	@DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" scripts/install

setup: ## install what the tests need and this machine lacks (apt as root; a Python venv)
	@scripts/setup

unit: ## swift test
	@swift test

integration: release ## the release binary as PID 1 of a fresh namespace; the tini and dumb-init names; ARCH=aarch64 by qemu-user
	@ARCH=$(ARCH) scripts/run-pytest Tests/Integration

stress: release ## 300 services that die, hang and flood under the release binary, SECONDS=60, SEED=n for one again
	@python3 Tests/Stress/stress.py --seconds $(or $(SECONDS),60) $(if $(SEED),--seed $(SEED))

faults: release ## each system call of PID 1 and its helpers fails, limits are reached, helpers are killed; minutes; ONLY=regex
	@python3 Tests/Faults/faults.py $(if $(ONLY),--only '$(ONLY)')

container: ## the Dockerfile, built and run with podman
	@scripts/run-pytest Tests/Container

packaging: release ## what make dist and make deb pack, from the release that is built
	@scripts/run-pytest Tests/Packaging

dist: ## a release in .build/dist: tars, bare files, SBOMs and checksums for x86_64 and aarch64, or ARCH= alone
	@ARCH="$(ARCH)" scripts/dist

deb: ## Debian packages of it, in .build/dist, for amd64 and arm64, or ARCH=x86_64|aarch64 alone
	@ARCH="$(ARCH)" scripts/deb

dist-check: ## builds dist and deb twice, in two folders, and compares them byte for byte
	@ARCH="$(ARCH)" scripts/dist-check

fuzz: ## libFuzzer on the parser, the reader of service files and the control protocol, SECONDS=60 each
	@scripts/fuzz $(or $(SECONDS),60)

simulate: ## lives of a container by the seed, against every rule, SEEDS=1000000 of them
	@scripts/simulate $(or $(SEEDS),1000000)

mutate: ## plants mistakes in copies of the core and shows that the simulation finds each
	@scripts/mutate

bench: release ## beside tini, s6, dinit and others, in one table; WRITE=1 for docs/benchmarks.md; bench-boot, -check, -chown, -exec, -logs
	@python3 Benchmarks/init --check-targets $(if $(WRITE),--write) $(ARGS)

$(addprefix bench-,$(BENCHMARKS)): bench-%: release
	@Benchmarks/$* $(ARGS)

endurance: ## a year of restarts in simulated time, DAYS=365, and real ones, RESTARTS=100000: memory must not grow; LIBC=glibc
	@HERMES_INIT_LIBC=$(LIBC) scripts/endurance $(or $(DAYS),365) $(or $(RESTARTS),100000)

test-aarch64: setup ## the file for aarch64: integration tests under qemu-user, and the image for linux/arm64
	@scripts/test-aarch64

test-glibc: setup ## the integration tests with the release against static glibc
	@HERMES_INIT_LIBC=glibc scripts/build release
	@HERMES_INIT=.build/glibc/release/hermes-init scripts/run-pytest Tests/Integration

lint: ## shellcheck, hadolint, and the GitHub workflows by their schema and by zizmor
	@scripts/lint

check-format: ## swift format, without changing anything
	@swift format lint --strict --parallel --recursive Package.swift Sources Tests Fuzz

format: ## swift format, in place
	@swift format --in-place --parallel --recursive Package.swift Sources Tests Fuzz

clean: ## remove what was built (not the cache of base images)
	@rm -rf .build .venv .pytest_cache
	@find Tests Benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
