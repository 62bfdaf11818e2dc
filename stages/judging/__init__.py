"""Judging: SimpleQA's three grades of free answers, given by a judge model through the teacher client."""

from pathlib import Path

from stages.params import Section

# Wei et al. 2024 (arXiv 2411.04368) and Haas et al. 2025 (arXiv 2509.07968) publish the grades of a judge.
BENCHMARKS = ("simpleqa", "simpleqa_verified")


class Config(Section):
    """The section `judge` of params.yaml."""

    teacher: str | None  # the judge, a name under `teachers`; null = the default teacher
    # Text file of a grader's prompt with its places in braces; null = this project's own.
    template: Path | None
