"""A world of sixty lands, small enough to run the verbs on in a test."""

from pathlib import Path

import yaml

from stages import files
from stages.records import Article, Fact

SYNTHESIS = {"slip": 0.12, "miss": 0.2, "false_alarm": 0.03}  # of the embedded teacher
CONTINENTS = ("Africa", "Asia", "Europe", "Oceania")
SETTINGS = {
    "seed": 0,
    "budget": 4,
    "densities": [3.5],
    "teacher": {
        "backend": "embedded",
        "model": "seedbed-simulator",
        "base_url": None,
        "api_key_env": "SEEDBED_TEST_KEY",
        "temperature": 1.0,
        "max_tokens": 256,
        "concurrency": 16,
        "timeout": 30.0,
        "retries": 1,
        "max_malformed": 0.5,
        "price": {"input": 1.0, "output": 2.0},
        "embedded": {"a": 1.0, "b": 1.0, "never": 0.1, **SYNTHESIS},
    },
    "ask": {
        "category": "Countries",
        "articles": None,
        "per_article": 2,
        "max_answer_words": 6,
        "near_duplicate": 0.8,
        "decontaminate": {"ngram": 8, "overlap": 0.8},
    },
    "knowledge": {"embedder": "hashing", "features": 16, "dimensions": 3, "neighbours": 4, "groups": 6},
    "synthesize": {
        "questions": 40,
        "tolerance": 0.25,
        "level_tolerance": 0.05,
        "rounds": 6,
        "orders": 30,
        "max_calls": None,
        "max_cost": None,
        "detailed": True,
        "near_copy": 0.6,
        "densities": None,
        "ratios": None,
    },
    "benchmarks": {"folder": "benchmarks"},
    "train": {
        "steps": 3,
        "batch": 4,
        "weight_decay": 0.1,
        "warmup": 0.1,
        "max_length": 64,
        "seeds": [0, 1],
    },
}


def lands(count: int = 60) -> list[Article]:
    """Return `count` made-up lands with five facts each, the capital in the first sentence."""
    syllables = ("ba", "ko", "mi", "ru", "ta", "ven", "sol", "dar")
    names = [(a + b + c).capitalize() for a in syllables for b in syllables for c in syllables]
    rows = []
    for i in range(count):
        name, capital = names[i * 7], names[i * 7 + 3] + " City"
        facts = {
            "capital": capital,
            "continent": CONTINENTS[i % 4],
            "currency": f"{name}n crown",
            "calling_code": f"+{900 + i}",
            "driving_side": ("left", "right")[i % 2],
        }
        rows.append(
            Article(
                page_id=i + 1,
                revision_id=1000 + i,
                timestamp="2026-01-01T00:00:00Z",
                title=name,
                aliases=[f"Republic of {name}"],
                text=f"{name} is a country in {facts['continent']} whose capital is {capital}. "
                f"Its currency is the {facts['currency']}.",
                facts=[Fact(name=key, value=value) for key, value in facts.items()],
                categories=["Countries", f"Countries in {facts['continent']}"],
            )
        )
    return rows


def settle(folder: Path, **changes: object) -> None:
    """Put articles, benchmarks and params.yaml into `folder`."""
    files.write_parquet(folder / "articles" / "part-00000.parquet", lands(), Article)
    benchmark = folder / "benchmarks" / "webquestions" / "test.json"
    benchmark.parent.mkdir(parents=True)
    benchmark.write_text('[{"qId": "1", "qText": "who rules nowhere?", "answers": ["nobody"]}]')
    (folder / "params.yaml").write_text(yaml.safe_dump(SETTINGS | changes))
