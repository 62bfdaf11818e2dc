"""The small world built from question to training set, in the folders of the default graph."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from small_world import settle

from stages import annotate, ask, assemble, files, respond, synthesize
from stages.problems import catalog, reading, source
from stages.records import PoolQuestion

STORE = ".seedbed/responses.sqlite"
ASK = "--articles articles --out datasets/questions --metrics ask.json"
ANNOTATE = (
    "--questions datasets/questions/questions.parquet --articles articles --out datasets/knowledge "
    "--metrics annotate.json"
)
SYNTHESIZE = (
    "--questions datasets/questions/questions.parquet --knowledge datasets/knowledge --articles articles "
    "--target {0} --out datasets/pools/{0}.parquet --synthesis datasets/synthesis/{0} --metrics pool.json"
)
RESPOND = (
    "--pool datasets/pools/{0}.parquet --articles articles --problems problems.jsonl --budget 4 "
    "--protocol {1} --out datasets/responses/{0}-{1}.parquet --metrics respond.json"
)
ASSEMBLE = (
    "--responses datasets/responses/{0}-{1}.parquet --target {0} --protocol {1} --cut {2} "
    "--out datasets/train/{0}-{1}-{2}.parquet --card datasets/train/{0}-{1}-{2}.md"
)


def run(verb: object, options: str) -> None:
    result = CliRunner().invoke(verb.main, options.split())  # type: ignore[attr-defined]
    assert result.exit_code == 0, result.output


def draw(target: str, protocol: str, *cuts: str) -> None:
    """Make a pool's calls under a protocol, and cut its training sets."""
    run(respond, RESPOND.format(target, protocol))
    for cut in cuts:
        run(assemble, ASSEMBLE.format(target, protocol, cut))


def problems() -> list[PoolQuestion]:
    """Write problems.jsonl, a blank line and then eight problems, and return them as a pool."""
    family = catalog.FAMILIES["gsm8k"][0]
    rows = [catalog.problem(catalog.ask(one, 0)) for one in catalog.instances(family)[:8]]
    lines = [json.dumps({"question": r.question, "answer": f"{r.solution}\n#### {r.answer}"}) for r in rows]
    Path("problems.jsonl").write_text("\n" + "\n".join(lines) + "\n")
    return source.of_problems(reading.read(Path("problems.jsonl")), "mathematics", 8, 0)


def build(folder: Path, *more: Callable[[], None], **changes: object) -> Path:
    """Build the pool at 3.5 dex and its plain training sets in `folder`, then do `more` there."""
    settle(folder, **changes)
    (folder / ".dvc").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("SEEDBED_STORE", raising=False)
        files.write_parquet(Path("datasets/pools/mathematics.parquet"), problems(), PoolQuestion)
        for verb, options in ((ask, ASK), (annotate, ANNOTATE), (synthesize, SYNTHESIZE.format("3.5"))):
            run(verb, options)
        draw("3.5", "rejection_sampling", "1x4", "0.5x2")
        for step in more:
            step()
    return folder
