# Every target uses the one environment in .venv, which `make setup` makes.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test setup lint

demo: setup
	$(BIN)/medclf demo

test: setup lint
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

setup: .venv/ready

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@
