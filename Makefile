# The targets run in .venv and create it when it is missing, so that `make serve` and `make test` work
# in a fresh clone.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

HOST ?= 127.0.0.1
PORT ?= 8000
IMAGE ?= mammolens:$(shell sed -n 's/^__version__ = "\(.*\)"$$/\1/p' service/__init__.py)
export HOST PORT PYTHON

# The tests start hundreds of processes, each of which would compile the package anew otherwise.
test coverage interop: export PYTHONDONTWRITEBYTECODE :=

run := .venv/bin/python -m
installer := requirements/install requirements/uv requirements/uv.txt

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s%s\n", $$1, $$2 }' Makefile

.PHONY: serve
serve: .venv/service.installed ## start the service on HOST:PORT (127.0.0.1:8000)
	@exec $(run) service

.PHONY: test
test: check ## run all checks, then all tests that need PyPI alone
	$(run) pytest --numprocesses 2 --dist loadscope

.PHONY: coverage
coverage: .venv/dev.installed ## run the tests and fail below the floor of coverage
	$(run) pytest --numprocesses 2 --dist loadscope --cov

.PHONY: interop
interop: .venv/dev.installed ## run the tests against outside programs (dcmtk, Chromium, Java, Go, Node, Orthanc, OHIF) and of whole trainings
	requirements/outside
	requirements/clients/install
	requirements/ohif
	$(run) pytest -m interop

.PHONY: check
check: .venv/dev.installed ## check format, lint, types, import rules and spelling
	$(run) ruff format --check
	$(run) ruff check
	$(run) mypy
	.venv/bin/lint-imports
	.venv/bin/typos

.PHONY: format
format: .venv/dev.installed ## format the code and fix lint errors
	$(run) ruff format
	$(run) ruff check --fix

.PHONY: training
training: .venv/training.installed ## install the requirements of training

.PHONY: training-gpu
training-gpu: .venv/training-gpu.installed ## install the requirements of training on an NVIDIA GPU, with JAX (Linux, x86-64)

.PHONY: model
model: .venv/training.installed data/phantoms/train.csv ## rebuild models/demo/1: phantoms, prepare, train, evaluate, scorecard, export
	rm -rf runs/demo
	$(run) training prepare training/experiments/demo.toml
	$(run) training train training/experiments/demo.toml
	$(run) training evaluate runs/demo
	$(run) training scorecard runs/demo --effort thorough
	$(run) training export runs/demo --out models/demo/1 --overwrite --require-scorecard

data/phantoms/train.csv: | .venv/training.installed
	$(run) training phantoms --patients 700 --out data/phantoms

.PHONY: picture
picture: .venv/training.installed ## create docs/picture.png, docs/summary.png, docs/sample.dcm and docs/sample-exam from phantoms
	$(run) docs.picture

.PHONY: viewer-pictures
viewer-pictures: .venv/dev.installed ## create docs/viewer-*.png, screenshots of the viewer (needs Chromium)
	$(run) docs.viewer_pictures

.PHONY: bench
bench: .venv/bench.installed ## run the benchmarks
	$(run) benchmarks.serve
	$(run) benchmarks.decode
	$(run) benchmarks.breast
	$(run) benchmarks.explain
	$(run) benchmarks.load

.PHONY: soak
soak: .venv/bench.installed ## run the soak: mixed traffic, overload, killed readers, model swaps
	$(run) benchmarks.soak

.PHONY: fuzz
fuzz: .venv/bench.installed ## read 200,000 damaged images with the decoders of the service
	$(run) benchmarks.fuzz

.PHONY: openapi
openapi: .venv/dev.installed ## write openapi/openapi.json from the code
	$(run) service openapi --out openapi/openapi.json

.PHONY: viewers
viewers: .venv/dev.installed ## fetch the viewers of /docs and /redoc from npm (newest versions: UPGRADE=--upgrade)
	$(run) docs.viewers $(UPGRADE)

.PHONY: diagram
diagram: .venv/dev.installed ## draw packages and list modules in docs/architecture.md
	$(run) docs.diagram

.PHONY: requirements
requirements: .venv/dev.installed ## pin the requirements of pyproject.toml (newest versions: UPGRADE=--upgrade)
	$(compile) $(UPGRADE) --group uv --output-file requirements/uv.txt
	$(compile) $(UPGRADE) pyproject.toml $(dev) --group bench --output-file requirements/bench.txt
	@# uv keeps the pins that an output file already holds, so each smaller set starts as a copy.
	cp requirements/bench.txt requirements/dev.txt
	$(compile) pyproject.toml $(dev) --output-file requirements/dev.txt
	cp requirements/dev.txt requirements/training.txt
	cp requirements/dev.txt requirements/service.txt
	cp requirements/dev.txt requirements/image.txt
	$(compile) pyproject.toml --extra training --output-file requirements/training.txt
	$(compile) pyproject.toml --output-file requirements/service.txt
	$(compile) pyproject.toml --extra tracing --extra onnx --output-file requirements/image.txt
	@# Those of CUDA are in no other set.
	$(compile) $(UPGRADE) pyproject.toml --extra training --extra training-gpu --constraints requirements/dev.txt --output-file requirements/training-gpu.txt
	@# JAX, Ray and pandas, which TensorFlow would load at each start.
	$(compile) $(UPGRADE) pyproject.toml requirements/peers/engines.in --extra training --extra scoring --extra ray --constraints requirements/dev.txt --output-file requirements/peers/engines.txt
	@# The other servers that benchmarks.load measures have separate environments, and so have Schemathesis and the clients of /v2.
	for peer in litserve bentoml mlserver mosec schemathesis inference-clients; do \
	  $(compile) $(UPGRADE) requirements/peers/$$peer.in --output-file requirements/peers/$$peer.txt; \
	done

# Every extra but the one with gigabytes of CUDA.
dev := --extra training --extra scoring --extra tracing --extra onnx --group dev
compile := requirements/uv pip compile --quiet --universal --generate-hashes --custom-compile-command 'make requirements'

.PHONY: image
image: ## build the container image
	docker build --tag $(IMAGE) .

.PHONY: clean
clean: ## remove .venv, build output and caches
	rm -rf .venv build dist htmlcov *.egg-info .coverage*
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

# A set contains the smaller sets in the same versions: serving after testing installs nothing.
within_training := service
within_training-gpu := service training
within_dev := service training
within_bench := service training dev

.venv/%.installed: requirements/%.txt $(installer)
	@requirements/install $*
	@touch $@ $(within_$*:%=.venv/%.installed)
