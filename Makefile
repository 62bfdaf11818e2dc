# Two commands for a newcomer, each from an empty clone: `make repro`, `make test`.
# JOBS is how many stages run at once, by default one a core; GPUS which GPUs they may use, by default all.

PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(PATH)

ifdef JOBS
ifneq ($(shell test "$(JOBS)" -ge 1 2>/dev/null && echo yes),yes)
$(error JOBS=$(JOBS): the number of stages at once must be 1 or more; leave it out for one a core)
endif
endif
RUN = python -m stages.run$(if $(JOBS), --jobs $(JOBS))$(if $(GPUS), --gpus $(GPUS))

.PHONY: repro test lint study-kdos study-budget study-gsm8k clean

repro: .venv/ready
	$(RUN)
	dvc repro
	@echo; cat metrics/headline.md; echo
	@echo "The report: metrics/report.html"

test: .venv/ready
	pytest -n 2 --dist worksteal

# The study of knowledge density, a graph of its own: studies/kdos/dvc.yaml.
study-kdos: .venv/ready
	cd studies/kdos && $(RUN) && dvc repro
	@echo; cat studies/kdos/metrics/findings.md; echo
	@echo "The report: studies/kdos/metrics/report.html"

# The study of response budgets and question shares: studies/budget/dvc.yaml.
study-budget: .venv/ready
	cd studies/budget && $(RUN) && dvc repro
	@echo; cat studies/budget/metrics/findings.md; echo
	@echo "The report: studies/budget/metrics/report.html"

# The same on real seed questions, which have to be put there first: studies/gsm8k/README.md.
study-gsm8k: .venv/ready
	cd studies/gsm8k && $(RUN) && dvc repro
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
