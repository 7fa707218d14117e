# Two commands do everything from a fresh clone: `make demo` and `make test`.
# Each makes the project's own virtual environment (.venv) and what it needs in it.
PYTHON ?= python3
BIN := .venv/bin
RUST := $(shell find crates -name '*.rs' -o -name Cargo.toml 2>/dev/null) Cargo.toml Cargo.lock
DATA := $(wildcard src/tokenfare/tokenizers/data/*)

.DEFAULT_GOAL := help
.PHONY: help demo dist test test-python test-rust search test-lowest test-litellm test-engines soak bench-calls bench-batch lint format docs bench fuzz sanitize sanitize-binding clean

help:
	@echo 'make demo   count, route and send real documents, offline, against the emulator'
	@echo 'make test   run all tests, Rust and Python'
	@echo 'make search   the property tests with examples that no run has seen'
	@echo 'make test-lowest   the tests with the lowest dependencies allowed'
	@echo 'make test-litellm   the tests against a LiteLLM proxy, which it installs'
	@echo 'make test-engines   the recipes for Spark, Ray, Dask, Daft, Polars and DuckDB, which it installs'
	@echo 'make soak   10,000 calls on the emulator'"'"'s worst day'
	@echo 'make lint   ruff, mypy, import-linter, rustfmt, clippy'
	@echo 'make format let ruff and rustfmt write'
	@echo 'make docs   the documentation as a site, in build/site'
	@echo 'make bench  measure counting beside the peers'
	@echo 'make bench-calls   measure a call beside httpx, openai and LiteLLM'
	@echo 'make bench-batch   measure planning beside tiktoken and json'
	@echo 'make fuzz   hold the core to an independent implementation, FUZZ_SECONDS long (600)'
	@echo 'make sanitize   the core'"'"'s tests under the address sanitizer'
	@echo 'make sanitize-binding   the tests of what Python hands to the core, under it too'
	@echo 'make dist   build what is published, and try each extra of it in an empty environment'

demo: .venv/.demo
	$(BIN)/tokenfare demo

test: test-rust test-python

# The last line is the fuzz target for ten seconds, without its engine. A lock file that lacks a
# crate is refused: it would be a change that nobody commits.
test-rust:
	cargo test --quiet --locked --workspace
	FUZZ_SECONDS=10 cargo test --quiet --locked --release --no-default-features --manifest-path crates/fuzz/Cargo.toml

# A worker a core; WORKERS=0 is one process, whose output and debugger are as usual. The plugin of
# the benchmarks stays out: beside others it would measure nothing, and warns of it.
WORKERS ?= auto
IN_PARALLEL := -p no:benchmark --numprocesses=$(WORKERS) --dist=worksteal
PYTEST := $(BIN)/python -m pytest $(IN_PARALLEL)

test-python: .venv/.test
	$(PYTEST)

# Each run draws examples that no run has seen.
search: .venv/.test
	$(PYTEST) -m hypothesis --hypothesis-profile=search

# In an environment of its own, with every dependency at its lower bound.
test-lowest:
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/pip install --quiet --constraint constraints-lowest.txt '.[test,docs]'
	.venv-lowest/bin/python -m pytest $(IN_PARALLEL)

# Against a LiteLLM proxy, which does not live in one environment with openai 3; and what
# docs/coming-from-litellm.md says of others. The library is found where .venv/.test has built it.
test-litellm: .venv/.test .venv-litellm
	$(BIN)/python -m pytest tests/client/test_litellm_proxy.py tests/client/test_litellm_page.py

.venv-litellm:
	$(PYTHON) -m venv $@
	$@/bin/pip install --quiet --no-compile 'langchain-text-splitters>=1.1' 'litellm[proxy]>=1.80' \
	  'platformdirs>=4.2' 'tokencost>=0.1.26' || { rm -rf $@; exit 1; }
	echo '$(CURDIR)/src' >"$$($@/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/tokenfare.pth"

# The recipes of docs/engines.md: each library is a hundred MB and more, so not with the others.
test-engines: .venv/.test .venv-engines
	$(BIN)/python -m pytest tests/batch/test_engines.py

# The library itself is not built once more: it is found where .venv/.test has built it.
DEPENDENCIES := import tomllib; p = tomllib.load(open("pyproject.toml", "rb"))["project"]; \
  print(*p["dependencies"], *p["optional-dependencies"]["batch"], sep="\n")
.venv-engines: pyproject.toml
	rm -rf $@
	$(PYTHON) -m venv $@
	$(PYTHON) -c '$(DEPENDENCIES)' | $@/bin/pip install --quiet --no-compile --requirement /dev/stdin 'daft>=0.6' \
	  'dask[dataframe,distributed]>=2025.1' 'duckdb>=1.4' 'pandas>=3.0' 'polars>=1.30' 'pyspark[sql]>=4.1' \
	  'ray[data]>=2.50' || { rm -rf $@; exit 1; }
	echo '$(CURDIR)/src' >"$$($@/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/tokenfare.pth"

soak: .venv/.test
	$(BIN)/python scripts/soak.py

lint: .venv/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cargo fmt --all --check
	cargo clippy --quiet --workspace --all-targets -- -D warnings

format: .venv/.lint
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	cargo fmt --all

docs: .venv/.docs
	cd scripts && ../$(BIN)/python -m docs_site

bench-calls: .venv/.test
	$(BIN)/python benchmarks/dispatch/overhead.py
	$(BIN)/python benchmarks/dispatch/gateway.py

bench-batch: .venv/.test
	$(BIN)/python benchmarks/batch/compare.py

bench: .venv/.test .venv-bench/.made .venv-bench-next/.made
	.venv-bench/bin/python benchmarks/counting/compare.py --json benchmark.json
	$(BIN)/python benchmarks/requests/compare.py
	$(BIN)/python benchmarks/routing/compare.py
	$(BIN)/python benchmarks/splitting/compare.py
	$(BIN)/python -m pytest benchmarks

# What is counted beside, each optional; the release candidate cannot live with its predecessor.
.venv-bench/.made: pyproject.toml $(RUST) $(DATA)
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet . numpy tiktoken==0.14.0
	for peer in fastokens gigatoken tokenizers==0.23.3 quicktok-v1 splintr-rs; do \
	  .venv-bench/bin/pip install --quiet $$peer || echo "$$peer: cannot be had here, left out"; done
	touch $@

.venv-bench-next/.made:
	$(PYTHON) -m venv .venv-bench-next
	.venv-bench-next/bin/pip install --quiet tokenizers==1.0.0rc3 || echo 'tokenizers 1.0.0rc3: left out'
	touch $@

FUZZ_SECONDS ?= 600
NIGHTLY := cargo +nightly
NEEDS_NIGHTLY = $(NIGHTLY) --version >/dev/null 2>&1 || { echo 'needs a nightly compiler: rustup toolchain install nightly' >&2; exit 1; }

fuzz:
	@$(NEEDS_NIGHTLY)
	@cargo fuzz --version >/dev/null 2>&1 || { echo 'make fuzz needs cargo-fuzz: cargo install cargo-fuzz' >&2; exit 1; }
	mkdir -p crates/fuzz/corpus/twins
	cd crates && $(NIGHTLY) fuzz run --fuzz-dir fuzz --sanitizer none twins fuzz/corpus/twins -- \
	  -dict=fuzz/dictionary -max_len=4096 -len_control=0 -timeout=20 -max_total_time=$(FUZZ_SECONDS)

# Miri would look closer, and cannot run what a processor's own instructions do.
sanitize:
	@$(NEEDS_NIGHTLY)
	RUSTFLAGS=-Zsanitizer=address $(NIGHTLY) test --quiet --release --package tokenfare-bpe --lib --tests --target x86_64-unknown-linux-gnu --target-dir target/sanitize

# The binding is loaded by a Python that knows of no sanitizer, so that comes first, from gcc; objects
# come from malloc, where it sees them. tokenfare-jobs has no unsafe code.
SANITIZED := target/sanitize
sanitize-binding: .venv/.test
	@$(NEEDS_NIGHTLY)
	RUSTFLAGS=-Zsanitizer=address CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 PYO3_PYTHON=$(CURDIR)/$(BIN)/python \
	  $(NIGHTLY) build --quiet --release --package tokenfare-python --target x86_64-unknown-linux-gnu --target-dir $(SANITIZED)
	rm -rf $(SANITIZED)/python && mkdir -p $(SANITIZED)/python && cp -r src/tokenfare $(SANITIZED)/python/
	rm -f $(SANITIZED)/python/tokenfare/_core*.so
	cp $(SANITIZED)/x86_64-unknown-linux-gnu/release/lib_core.so $(SANITIZED)/python/tokenfare/_core.so
	LD_PRELOAD=$$(gcc -print-file-name=libasan.so) ASAN_OPTIONS=detect_leaks=0 PYTHONMALLOC=malloc PYTHONPATH=$(SANITIZED)/python \
	  $(BIN)/python -m pytest -q -p no:benchmark tests/tokenizers/test_ids.py tests/tokenizers/test_columns.py

# What is published: see CONTRIBUTING.md. On Linux zig links, against a C library as old as of 2012,
# so that the wheel runs on every distribution; a plain build asks for the C library of this machine.
WHEEL := $(if $(filter Linux,$(shell uname -s)),--zig --compatibility manylinux_2_17)

dist: .venv-dist
	rm -rf dist
	.venv-dist/bin/maturin sdist --out dist
	PATH="$(CURDIR)/.venv-dist/bin:$$PATH" .venv-dist/bin/maturin build --release --out dist --interpreter .venv-dist/bin/python $(WHEEL)
	.venv-dist/bin/twine check --strict dist/*
	.venv-dist/bin/python scripts/check_package.py dist

.venv-dist:
	$(PYTHON) -m venv $@
	$@/bin/pip install --quiet 'maturin>=1.8,<2' 'twine>=6' 'ziglang>=0.13' || { rm -rf $@; exit 1; }

clean:
	rm -rf .venv .venv-dist .venv-lowest .venv-litellm .venv-engines .venv-bench .venv-bench-next target crates/fuzz/target build dist

.venv/.made:
	$(PYTHON) -c 'import sys; sys.exit("tokenfare needs Python 3.11 or later, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@command -v cargo >/dev/null || { echo 'tokenfare needs cargo (Rust) to build its core: https://rustup.rs' >&2; exit 1; }
	$(PYTHON) -m venv .venv
	touch $@

# An edit of Rust, of the vocabulary or of pyproject.toml installs again; Python edits need nothing.
.venv/.%: .venv/.made pyproject.toml $(RUST) $(DATA)
	$(BIN)/pip install --quiet --editable '.[$(EXTRAS_$*)]'
	touch $(addprefix .venv/.,$(HAS_$*))

EXTRAS_demo := emulator
EXTRAS_test := test
EXTRAS_lint := test,lint
EXTRAS_docs := test,lint,docs
# What is in it: nobody builds a second time what the largest of them has built.
HAS_demo := demo
HAS_test := demo test
HAS_lint := demo test lint
HAS_docs := demo test lint docs
.PRECIOUS: .venv/.%
