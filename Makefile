# `make run` and `make test` are complete on a bare Debian with make and Python 3.11: they install what is missing,
# once, and say so. `make help` lists everything.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV ?= .venv
BIN := $(VENV)/bin
# Python compiles what it imports. To compile all that is installed takes nearly as long as to unpack it.
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check --no-input --no-compile
OUT ?= demo
ARGS ?=

# the first of these that is there, runs, and is new enough
CANDIDATES := python3.11 python3 python3.12 python3.13
new_enough = $(shell $(1) -c 'import sys; print("$(1)" if sys.version_info >= (3, 11) else "")' 2>/dev/null)
PYTHON ?= $(firstword $(foreach name,$(CANDIDATES),$(call new_enough,$(name))))

# Qt complains without one
ifndef XDG_RUNTIME_DIR
XDG_RUNTIME_DIR := $(shell folder="$${TMPDIR:-/tmp}/runtime-$$(id -u)"; mkdir -p -m 700 "$$folder" && echo "$$folder")
endif
export XDG_RUNTIME_DIR

# processes that tests start would compile the package anew, each of them
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install run test test-fast test-qt6 test-matrix test-peers lint format types contracts docs validate wheel-test train bench bench-speed bench-memory fuzz screenshots clean distclean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo '  Options of a command: make bench ARGS="--crop 128". Another Python: make install PYTHON=python3.12.'

install: $(VENV)/.installed ## system packages, .venv, everything the project needs

run: $(VENV)/.installed ## the demo: a noisy cube, denoised before your eyes; writes demo/
	@echo "Demo: the results go to $(OUT)/."
	@$(BIN)/napari-decsc demo --out $(OUT) $(ARGS)

# One thread for each of the tests that run beside each other. Plugins are named: packages that bring some for their own
# tests (zarr, npe2) would be imported, and all of their files and napari's be read for assertions, in every process.
PLUGINS := --disable-plugin-autoload $(addprefix -p ,xdist timeout randomly hypothesispytest xvfb pytest-qt)
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(PLUGINS) -n auto --maxprocesses 4 --dist loadgroup

test: $(VENV)/.installed ## all tests, in parallel and in random order (in a virtual screen)
	@$(PYTEST) -p napari $(ARGS)

test-fast: $(VENV)/.installed ## the tests that need neither a window nor a whole solve
	@$(PYTEST) -m "not slow" --hypothesis-profile fast $(ARGS)

test-qt6: $(VENV)/.qt6 ## the tests of the window once more, with Qt 6 instead of Qt 5
	@QT_API=pyqt6 $(PYTEST) -p napari tests/ui -o qt_api=pyqt6 $(ARGS)

test-matrix: .cache/system-packages ## the tests of the window with every promised napari and Qt; MATRIX="newest-pyqt6" for one
	@.ci/matrix $(PYTHON) $(ARGS)

test-peers: $(VENV)/.installed ## exchange files with GDAL, R, Octave, GRASS and Python packages, installed at the first call
	@tests/peers/install.sh $(BIN)/python .cache/peers
	@NAPARI_DECSC_PEERS=.cache/peers $(BIN)/python -m pytest tests/peers $(ARGS)

lint: $(VENV)/.installed ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: $(VENV)/.installed ## put the code into ruff's format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: $(VENV)/.installed ## mypy, strict
	@$(BIN)/mypy

contracts: $(VENV)/.installed ## which part may import which
	@$(BIN)/lint-imports

docs: $(VENV)/.docs ## the site, into site/; warnings are errors, nothing is fetched
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo "The site is in site/index.html; its search works where it is served: $(BIN)/python -m http.server -d site"

validate: $(VENV)/.installed ## the plugin's manifest
	@$(BIN)/npe2 validate napari-decsc

wheel-test: $(VENV)/.installed ## build sdist and wheel, install the wheel elsewhere, use it there
	@$(BIN)/python .ci/wheel_test.py

train: $(VENV)/.installed ## train weights; options in ARGS, see `napari-decsc train --help`
	@$(BIN)/napari-decsc train $(ARGS)

bench: $(VENV)/.installed ## compare methods on noise cases; writes runs/benchmark/
	@$(BIN)/napari-decsc benchmark --overwrite $(ARGS)

bench-speed: $(VENV)/.installed ## the tables of docs/speed.md (about half an hour); options in ARGS
	@$(BIN)/python benchmarks/speed.py $(ARGS)

bench-memory: $(VENV)/.installed ## memory of tiles, measured against what --memory reckons with
	@$(BIN)/python benchmarks/memory_of_tiles.py $(ARGS)

screenshots: $(VENV)/.installed ## the pictures of docs/images (in a virtual screen)
	@xvfb-run -a -s "-screen 0 1280x800x24" $(BIN)/python docs/make_screenshots.py

fuzz: $(VENV)/.installed ## 200,000 odd files must open or be refused; then 200 kills of a writer; options of the first in ARGS
	@OMP_NUM_THREADS=1 $(BIN)/python tests/safety/fuzz.py $(ARGS)
	@$(BIN)/python tests/safety/kill.py

clean: ## remove what was built and cached, keep .venv
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage site
	@find napari_decsc tests -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## remove .venv too
	@rm -rf $(VENV) .cache

.cache/system-packages: .ci/system-packages
	@if [ -z "$(PYTHON)" ]; then \
	  echo "Python 3.11 or newer is needed, and none of $(CANDIDATES) is one; on Debian: apt-get install python3.11" >&2; \
	  exit 1; \
	fi
	@.ci/system-packages $(PYTHON)
	@mkdir -p $(@D) && touch $@

$(VENV)/.installed: pyproject.toml constraints.txt .cache/system-packages
	@if [ ! -x $(BIN)/python ]; then echo "Making $(VENV) with $(PYTHON)."; $(PYTHON) -m venv $(VENV); fi
	@echo "Installing PyTorch (the largest part, once)."
	@$(PIP) -c constraints.txt torch
	@echo "Installing napari-decsc with napari, PyQt5 and the tools for tests (a minute or more, in silence)."
	@$(PIP) -c constraints.txt -e '.[pyqt5,test]'
	@touch $@

$(VENV)/.qt6: $(VENV)/.installed
	@echo "Installing PyQt6."
	@$(PIP) -c constraints.txt -e '.[pyqt6]'
	@touch $@

$(VENV)/.docs: $(VENV)/.installed
	@echo "Installing the site's builder."
	@$(PIP) -c constraints.txt -e '.[docs]'
	@touch $@
