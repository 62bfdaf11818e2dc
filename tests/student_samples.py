"""A corpus of eight articles, training rows about them and a base small enough to train in a test."""

from pathlib import Path

from stages.records import Article, BenchmarkItem, Fact, Message, TrainingExample
from stages.student import Make, Train, encoding, modelling, prompting, tokenizing
from stages.student.pretraining import texts

CAPITALS = {
    "France": "Paris",
    "Japan": "Tokyo",
    "Kenya": "Nairobi",
    "Peru": "Lima",
    "Norway": "Oslo",
    "Cuba": "Havana",
    "Egypt": "Cairo",
    "Italy": "Rome",
}
SIZES = Make(
    vocabulary=420,
    layers=2,
    hidden=32,
    heads=2,
    key_value_heads=1,
    feedforward=64,
    steps=4,
    batch=4,
    block=32,
    learning_rate=3e-3,
    weight_decay=0.1,
    warmup=0.1,
)
TRAIN = Train(steps=5, batch=8, weight_decay=0.1, warmup=0.1, max_length=64, seeds=(0, 1))


def articles() -> list[Article]:
    """Return one article per country."""
    return [
        Article(
            page_id=i,
            revision_id=i,
            timestamp="",
            title=country,
            aliases=[],
            text=f"{country} is a country. Its capital is {city}.\n\n{city} lies in {country}.",
            facts=[Fact(name="capital", value=city)],
            categories=["Countries"],
        )
        for i, (country, city) in enumerate(CAPITALS.items(), start=1)
    ]


def rows(responses: int = 5) -> list[TrainingExample]:
    """Return `responses` rows per country, each with a rationale of its own."""
    return [
        TrainingExample(
            strategy="density",
            density=2.0,
            share=1.0,
            budget=responses,
            protocol="rejection_sampling",
            question_id=country,
            rollout=rollout,
            prompt=[Message(role="user", content=f"What is the capital of {country}?")],
            completion=[
                Message(
                    role="assistant",
                    content=prompting.completion(city, f"Source {rollout} says that {country} has {city}."),
                )
            ],
        )
        for country, city in CAPITALS.items()
        for rollout in range(responses)
    ]


def encoded(examples: list[TrainingExample], tokenizer, folder: Path) -> encoding.Rows:
    """Return the rows encoded into `folder`, which is made."""
    folder.mkdir()
    return encoding.encode([examples], tokenizer, TRAIN.max_length, folder)


def of_architecture(architecture: str) -> Make:
    """Return sizes of one architecture; the mixture has four experts, of which a token meets two."""
    mixture = {"experts": 4, "experts_per_token": 2} if architecture == "mixture_of_experts" else {}
    return Make(**{**SIZES.model_dump(), "architecture": architecture, **mixture})


def items() -> list[BenchmarkItem]:
    """Return one benchmark item per country, in the words of the training questions."""
    return [
        BenchmarkItem(
            benchmark="webquestions",
            item_id=country,
            question=f"What is the capital of {country}?",
            answers=[city],
        )
        for country, city in CAPITALS.items()
    ]


def base():
    """Return a randomly initialised base and its tokenizer; from here on one thread computes."""
    import torch

    torch.set_num_threads(1)
    tokenizer = tokenizing.train_tokenizer(
        [*texts(articles()), *tokenizing.question_like(articles())], SIZES.vocabulary
    )
    return modelling.make(SIZES, tokenizer, seed=0), tokenizer


def save_base(folder: Path) -> Path:
    """Save a base into `folder` and return it."""
    modelling.save(*base(), folder)
    return folder
