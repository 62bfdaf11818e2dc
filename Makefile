# Two commands for a newcomer, each from an empty clone: `make repro`, `make test`.

PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: repro test lint study-kdos study-budget study-gsm8k clean

repro: .venv/ready
	python -m stages.run
	dvc repro
	@echo; cat metrics/headline.md; echo
	@echo "The report: metrics/report.html"

test: .venv/ready
	pytest -n 2 --dist worksteal

# The study of knowledge density, a graph of its own: studies/kdos/dvc.yaml.
study-kdos: .venv/ready
	cd studies/kdos && python -m stages.run && dvc repro
	@echo; cat studies/kdos/metrics/findings.md; echo
	@echo "The report: studies/kdos/metrics/report.html"

# The study of response budgets and question shares: studies/budget/dvc.yaml.
study-budget: .venv/ready
	cd studies/budget && python -m stages.run && dvc repro
	@echo; cat studies/budget/metrics/findings.md; echo
	@echo "The report: studies/budget/metrics/report.html"

# The same on real seed questions, which have to be put there first: studies/gsm8k/README.md.
study-gsm8k: .venv/ready
	cd studies/gsm8k && python -m stages.run && dvc repro
	@echo; cat studies/gsm8k/metrics/findings.md; echo
	@echo "The report: studies/gsm8k/metrics/report.html"

lint: .venv/ready
	ruff check . && ruff format --check . && mypy stages

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("seedbed needs Python 3.11 or newer: make PYTHON=python3.11 …" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv
