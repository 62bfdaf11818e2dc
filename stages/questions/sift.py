"""From written questions to the source: every rejection with its reason, in a fixed order of checks."""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from stages.errors import BadInput
from stages.questions import Config, verify
from stages.questions.decontaminate import contaminated
from stages.questions.dedupe import duplicates
from stages.records import Article, BenchmarkItem, RejectedQuestion, SeedQuestion
from stages.teacher.prompts import WrittenQuestion

# Counted even where there is none: that decontamination removed nothing is a finding too.
REASONS = ("ambiguous", "contaminated_answer", "contaminated_ngram", "duplicate", "near_duplicate")


def choose(articles: Sequence[Article], config: Config, rng: np.random.Generator) -> list[Article]:
    """Return the articles to ask about, in their own order.

    Args:
        articles: all of them.
        config: category and number.
        rng: draws them.

    Raises:
        BadInput: no article is of the category.
    """
    able = [a for a in articles if config.category is None or config.category in a.categories]
    if not able:
        raise BadInput(
            f"ask.category '{config.category}': none of {len(articles)} articles is of it; "
            "set it to a category of the dump, or to null"
        )
    drawn = rng.permutation(len(able))[: config.articles]
    return [able[i] for i in sorted(drawn)]


def candidate(
    written: WrittenQuestion, article: Article, aliases: Mapping[str, Sequence[str]], request_key: str
) -> SeedQuestion:
    """Return a written question as a row, with the other names of its answer where an article has them.

    Args:
        written: question, answer, evidence.
        article: the article it was written from.
        aliases: title → the article's aliases.
        request_key: of the request that wrote it.
    """
    identity = f"{article.page_id}\n{written.question}\n{written.answer}"
    return SeedQuestion(
        question_id=hashlib.sha256(identity.encode()).hexdigest()[:16],
        page_id=article.page_id,
        revision_id=article.revision_id,
        title=article.title,
        question=written.question,
        answer=written.answer,
        answer_aliases=sorted(aliases.get(written.answer, ())),
        evidence=written.evidence,
        request_key=request_key,
    )


def sift(
    candidates: Sequence[SeedQuestion],
    articles: Mapping[int, Article],
    items: Sequence[BenchmarkItem],
    config: Config,
) -> tuple[list[SeedQuestion], list[RejectedQuestion]]:
    """Verify, deduplicate and decontaminate.

    Args:
        candidates: in order of precedence.
        articles: by page id.
        items: of all benchmarks.
        config: thresholds.

    Returns:
        The source, and the rejected questions with the name of the first check that each failed.
    """
    reasons: dict[str, str] = {}
    unique: list[SeedQuestion] = []
    seen: set[str] = set()
    rejected: list[RejectedQuestion] = []
    for row in candidates:
        if row.question_id in seen:
            rejected.append(_reject(row, "duplicate"))
            continue
        seen.add(row.question_id)
        unique.append(row)
        fault = verify.fault(row, articles[row.page_id], config.max_answer_words)
        if fault:
            reasons[row.question_id] = fault
    left = _left(unique, reasons)
    reasons |= dict.fromkeys(verify.ambiguous(left), "ambiguous")
    reasons |= duplicates(_left(unique, reasons), config.near_duplicate)
    limits = config.decontaminate
    reasons |= contaminated(_left(unique, reasons), items, limits.ngram, limits.overlap)
    rejected += [_reject(row, reasons[row.question_id]) for row in unique if row.question_id in reasons]
    return _left(unique, reasons), rejected


def _left(rows: Sequence[SeedQuestion], reasons: Mapping[str, str]) -> list[SeedQuestion]:
    return [row for row in rows if row.question_id not in reasons]


def _reject(row: SeedQuestion, reason: str) -> RejectedQuestion:
    return RejectedQuestion(**row.model_dump(), reason=reason)
