PYTHON ?= python3
BIN := .venv/bin

.PHONY: site demo test test-all test-deploy test-executorch mutants faults check lint index docs lock clean

demo: .venv/ready  ## train LeNet-5 on the built-in handwritten digits, then read some
	$(BIN)/convatlas train --recipe lenet5_digits
	$(BIN)/convatlas predict $$(ls -td runs/*lenet5-digits* | head -1) --test 8
	@echo "open its page:  $(BIN)/convatlas explore $$(ls -td runs/*lenet5-digits* | head -1)"

# modules are compiled once, and not in each of the processes that the tests start; up to a
# gigabyte that glibc was given back stays with the process: the system need not clear it once more
SETTING := PYTHONDONTWRITEBYTECODE= MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=1073741824
TESTED := $(SETTING) $(BIN)/python -m pytest

test: .venv/ready  ## everything that must hold on two cores; INSTALLED=slurm,chromium: what no test may be skipped for
	$(TESTED) --installed "$(INSTALLED)" -m "not full"

test-all: .venv/ready
	$(TESTED)

test-deploy: .venv-deploy/ready  ## exported files in their engines, and the server
	$(SETTING) $(<D)/bin/python -m pytest --installed onnx,onnxruntime,openvino,ncnn,serve,tritonclient -m "not full" tests/deploy tests/serving tests/speed tests/compression

test-executorch: .venv-executorch/ready  ## files for ExecuTorch, whose packages go with no others
	$(SETTING) $(<D)/bin/python -m pytest --installed executorch -m "not full" tests/deploy/test_executorch.py

mutants: .venv/ready  ## plant faults, one at a time, and see whether the tests notice (half an hour)
	$(BIN)/python -m benchmarks.mutants --write

faults: .venv/ready  ## plant twelve kinds of fault in the source of every network that has not been judged yet
	$(BIN)/python -m benchmarks.planted_faults --write

check: lint  ## style, and every printed number against the code
	$(BIN)/convatlas verify

lint: .venv/ready
	$(BIN)/ruff check .

index: .venv/ready  ## renew what `list` and `show` know, the golden layer tables and functions, and the pages: review the diff; NAME=resnet50: of one network
	$(BIN)/python -m convatlas.index $(NAME)
	$(BIN)/python -m convatlas.pages

docs: .venv/ready  ## renew the pages from the index and the ledger of results
	$(BIN)/python -m convatlas.pages

site: .venv/ready  ## the documents and the atlas as one static site, in build/site
	$(BIN)/python -m docs.site build/site

.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "convatlas needs Python 3.11 or newer: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

# what it holds beside .venv, whose packages it sees; so that no extra can change what `test` runs with
.venv-%/ready: .venv/ready requirements-%.txt
	$(BIN)/python -m venv $(@D)
	$(BIN)/python -c 'import sysconfig; print("import site; site.addsitedir(%r)" % sysconfig.get_path("purelib"))' \
		> "$$($(@D)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/venv.pth"
	$(@D)/bin/python -m pip install --disable-pip-version-check --no-deps --require-hashes -r requirements-$*.txt
	touch $@

LOCKED := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	--no-annotate pyproject.toml

lock:  ## renew the files of pinned packages (needs uv)
	$(LOCKED) --extra dev -o requirements.lock
	for more in deploy executorch; do $(LOCKED) --extra dev-$$more -c requirements.lock -o requirements-$$more.txt \
		$$(sed -n 's/^\([a-z0-9._-]*\)==.*/--no-emit-package \1/p' requirements.lock) || exit 1; done

clean:
	rm -rf build .venv .venv-deploy .venv-executorch .pytest_cache .ruff_cache .hypothesis
