"""Settings: strict names, ranges, one clear line."""

from pathlib import Path

import pytest
from pydantic import Field

from stages import params
from stages.errors import BadInput


class Inner(params.Section):
    learning_rate: float
    steps: int = Field(ge=1)


class Params(params.Section):
    seed: int
    train: Inner
    densities: list[float]


GOOD = "seed: 0\ndensities: [2.5]\ntrain: {learning_rate: 1.0e-4, steps: 3}\n"


def load(folder: Path, text: str) -> Params:
    path = folder / "params.yaml"
    path.write_text(text)
    return params.load(Params, path)


def test_sections_are_read_and_frozen(tmp_path: Path) -> None:
    p = load(tmp_path, GOOD)
    assert (p.train.learning_rate, p.densities) == (1e-4, [2.5])
    with pytest.raises(ValueError, match="frozen"):
        p.seed = 2  # type: ignore[misc]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seed: 0", "seeed: 0", "unknown setting 'seeed'; did you mean 'seed'?"),
        (
            "learning_rate",
            "lerning_rate",
            "unknown setting 'train.lerning_rate'; did you mean 'learning_rate'?",
        ),
        ("steps: 3", "steps: 0", "setting 'train.steps'"),
        ("steps: 3", "steps: 2.5", "setting 'train.steps'"),
        ("[2.5]", "[.nan]", "setting 'densities.0'"),
        ("[2.5]", "[dense]", "setting 'densities.0'"),
        (", steps: 3", "", "setting 'train.steps' is missing"),
        ("seed: 0", "seed: [", "not valid YAML"),
        (GOOD, "just text", "expected a mapping"),
    ],
)
def test_bad_settings_are_named_in_one_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        load(tmp_path, GOOD.replace(old, new))
    assert said in caught.value.message
    assert "\n" not in caught.value.message


def test_missing_file_says_where_to_run(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="run from the project's root folder"):
        params.load(Params, tmp_path / "params.yaml")
