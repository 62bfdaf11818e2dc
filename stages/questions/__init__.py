"""Seed questions: checked, deduplicated and kept apart from every benchmark."""

from stages.params import Section


class Decontaminate(Section):
    """When a question counts as taken from a benchmark."""

    ngram: int  # words; a shared run of this many words is contamination
    overlap: float  # 0 … 1; Jaccard similarity of content words, at an equal answer


class Config(Section):
    """The section `ask` of params.yaml."""

    articles: int | None  # how many articles to ask about, drawn at random; null = all
    per_article: int  # questions requested per article
    max_answer_words: int  # longer reference answers are rejected
    near_duplicate: float  # 0 … 1; Jaccard similarity of character 5-grams, at an equal answer
    decontaminate: Decontaminate
