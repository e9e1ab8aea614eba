# Needs Python 3.11, 3.12 or 3.13 and make, nothing else. README.md says what each target runs.
PYTHON ?= python3
VENV ?= .venv
RUN = $(VENV)/bin

.PHONY: help demo test slow lint check wsdl answers bench servers processes interop fuzz durability reading life
.DEFAULT_GOAL := help

help: ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(VENV)/ready: setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(RUN)/python -m pip install --quiet --constraint constraints.txt --editable '.[server,postgresql,client,dev]'
	@touch $@

demo: $(VENV)/ready ## start a sandbox with fixtures, run the whole story once, stay up
	$(RUN)/paraphe demo

test: $(VENV)/ready ## run the tests, on SQLite and PostgreSQL
	$(RUN)/python -m pytest --numprocesses 2

slow: $(VENV)/ready ## run the tests that wait, start servers or send much
	$(RUN)/python -m pytest --numprocesses 2 -m slow

lint: $(VENV)/ready ## style and types
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy

check: lint ## style, types, then all tests
	$(MAKE) test slow

bench: $(VENV)/ready ## measure against plain Spyne, in one run
	$(RUN)/python -m benchmarks

servers: $(VENV)/ready ## measure beside the servers that are installed (benchmarks/servers/install), over HTTP
	$(RUN)/python -m benchmarks.servers

processes: $(VENV)/ready ## measure one process against two, over HTTP, on an idle machine
	$(RUN)/python -m benchmarks.processes

interop: $(VENV)/ready ## run every SOAP stack that is installed (tests/interop/install) and write docs/interop.md
	$(RUN)/python -m tests.interop

life: $(VENV)/ready ## kill the server at every step of an invoice's life, and look whether the record is complete, once
	$(RUN)/python -m tests.life

reading: $(VENV)/ready ## how well invoices are read, with 300 bad PDFs
	$(RUN)/python -m tests.reading

# FUZZ=--short, or another option of python -m tests.fuzz
fuzz: $(VENV)/ready-to-fuzz ## 200 000 cases against the codecs and the whole application
	$(RUN)/python -m tests.fuzz $(FUZZ)

$(VENV)/ready-to-fuzz: $(VENV)/ready
	$(RUN)/python -m pip install --quiet --constraint constraints.txt --editable '.[fuzz]'
	@touch $@

# DURABILITY=--short, or other options of python -m tests.durability
durability: $(VENV)/ready ## kill servers a thousand times under a load of writes, and look whether anything is lost
	$(RUN)/python -m tests.durability $(DURABILITY)

wsdl: $(VENV)/ready ## compose wsdl/ from xsd/
	$(RUN)/paraphe compose-wsdl wsdl
