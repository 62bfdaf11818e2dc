"""Seed questions: checked, deduplicated and kept apart from every benchmark."""

from pydantic import Field

from stages.params import Section


class Decontaminate(Section):
    """When a question counts as taken from a benchmark."""

    ngram: int = Field(ge=2)  # words; a shared run of this many words is contamination
    overlap: float = Field(gt=0, le=1)  # 0 … 1; Jaccard similarity of content words, at an equal answer


class Config(Section):
    """The section `ask` of params.yaml."""

    category: str | None  # ask about articles of this category; null = of any
    articles: int | None = Field(ge=1)  # how many of them, drawn at random; null = all
    per_article: int = Field(ge=1)  # questions requested per article
    max_answer_words: int = Field(ge=1)  # longer reference answers are rejected
    near_duplicate: float = Field(gt=0, le=1)  # Jaccard, character 5-grams, at an equal answer
    decontaminate: Decontaminate
