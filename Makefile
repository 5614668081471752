# make book   set up, re-execute what is not fresh, build      make html   build only
# make test   set up, run everything that CI runs              make bench  side-by-side measurements
# make torture  a toy book killed, starved, locked, fed nonsense: 30 minutes; TORTURE="--kills 8"
# make crate the whole book as _build/crate, an RO-Crate, checked by another program: some minutes
# make pdf    the whole book as _build/false-structures.pdf; needs Chromium
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CFF := .venv-cff
CRATE := .venv-crate

# One clear line before anything is installed. As old and as new as requirements.txt allows: all of
# it has wheels there. Must run on any Python, even 2.
define CHECK_PYTHON
import sys
found = "PYTHON=$(PYTHON) is Python %d.%d.%d" % sys.version_info[:3]
choose = "choose another one: make PYTHON=python3.12 book"
if not (3, 11) <= sys.version_info[:2] <= (3, 14):
    sys.exit(found + ", but the pinned packages need 3.11 to 3.14; " + choose)
try:
    import ensurepip, venv
except ImportError:
    sys.exit(found + " without ensurepip (Debian: apt-get install python3-venv); or " + choose)
endef
export CHECK_PYTHON

.PHONY: book test html pdf bench lint crate torture clean chapters again strict style types arrows citation workflows

book: $(READY)
	$(BIN)/falsestruct run
	$(BIN)/falsestruct build

html: $(READY)
	$(BIN)/falsestruct build

pdf: $(READY)
	$(BIN)/falsestruct pdf

# Chapters first, forced; then the stored notebooks are executed once more and compared output by
# output; then the book is built with every warning an error; then the tests. With `make -j2 test`
# what doesn't need the other runs beside it.
test: again strict
	OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile

chapters: lint
	$(BIN)/falsestruct run --force --profile book

again: chapters
	OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 $(BIN)/pytest --nbval --nbval-current-env -q -n 2 --dist loadfile --no-loadscope-reorder notebooks

strict: chapters
	$(BIN)/falsestruct claims
	$(BIN)/falsestruct build --strict

lint: style types arrows citation workflows

style: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

arrows: $(READY)
	$(BIN)/lint-imports

citation: $(CFF)/.ready
	$(CFF)/bin/cffconvert --validate

# What PyPI has of actionlint fetches it from elsewhere: so it looks only where it is installed.
workflows: $(READY)
	$(BIN)/zizmor --offline --quiet .github/workflows
	@if command -v actionlint >/dev/null; then actionlint; else echo "actionlint is not installed: left out"; fi

bench: $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	$(BIN)/python -m benchmarks

crate: $(READY) $(CRATE)/.ready
	rm -rf _build/crate
	$(BIN)/falsestruct export --ro-crate _build/crate
	$(CRATE)/bin/python tests/check_crate.py _build/crate

torture: $(READY)
	$(BIN)/python -m tests.torture $(TORTURE)

clean:
	rm -rf _build

# Bytecode is made of what is imported, when it is: that is a small part of what is installed.
$(READY): requirements.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || \
	  { echo "PYTHON=$(PYTHON) is not here; choose another one: make PYTHON=python3.12 book" >&2; exit 1; }
	@$(PYTHON) -c "$$CHECK_PYTHON"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-compile -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	touch $@

# Its requirements can't share an environment with the book's.
$(CFF)/.ready: requirements-cff.txt | $(READY)
	$(BIN)/python -m venv $(CFF)
	$(CFF)/bin/pip install --quiet --disable-pip-version-check -r requirements-cff.txt
	touch $@

$(CRATE)/.ready: requirements-crate.txt | $(READY)
	$(BIN)/python -m venv $(CRATE)
	$(CRATE)/bin/pip install --quiet --disable-pip-version-check -r requirements-crate.txt
	touch $@
