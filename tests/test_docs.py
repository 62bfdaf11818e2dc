"""What the documents promise: commands that exist, help that is there, no heavy import for it."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).parents[1]
VERBS = sorted(p.stem for p in (ROOT / "stages").glob("*.py") if "@click.command" in p.read_text())
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_and_every_option_has_help(name: str) -> None:
    command = import_module(f"stages.{name}").main
    assert isinstance(command, click.Command)
    assert command.help
    for option in command.params:
        if isinstance(option, click.Argument):  # of a tool: click has no help for one
            assert option.human_readable_name in command.help, f"{name} {option.name}"
        else:
            assert isinstance(option, click.Option)
            assert option.help, f"{name} {option.name}"


def test_help_imports_nothing_heavy() -> None:
    script = "import sys\n" + "".join(f"import stages.{name}\n" for name in VERBS)
    script += (
        "print([m for m in ('torch', 'transformers', 'trl', 'sklearn', 'scipy', 'statsmodels', 'duckdb',"
    )
    script += " 'matplotlib', 'openai') if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    assert ran.stdout.strip() == "[]"


def test_commands_in_the_readme_exist() -> None:
    for module in set(re.findall(r"python -m (stages\.[\w.]+)", README)):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"`make ([\w-]+)", README)) <= targets
    assert {"repro", "test"} <= targets


def test_files_linked_in_documents_exist() -> None:
    for document in [ROOT / "README.md", *ROOT.glob("*/README.md"), *ROOT.glob("studies/*/README.md")]:
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text()):
            assert (document.parent / link).exists(), f"{document.name}: {link}"


def test_settings_named_in_the_readme_exist() -> None:
    import yaml

    settings = yaml.safe_load((ROOT / "params.yaml").read_text())
    for name in set(re.findall(r"-S '?([\w.]+)=", README)):
        here = settings
        for part in name.split("."):
            assert part in here, name
            here = here[part]


@pytest.mark.parametrize("name", ["kdos", "budget", "gsm8k"])
def test_a_studys_readme_shows_its_findings(name: str) -> None:
    study = ROOT / "studies" / name
    found = (study / "metrics" / "findings.md").read_text()
    table = found[found.index("| claim") :].split("\n\n**")[0].strip()
    assert table in (study / "README.md").read_text(), "not the findings of metrics/findings.md"


def test_the_readme_shows_the_committed_headline() -> None:
    headline = (ROOT / "metrics" / "headline.md").read_text().strip()
    assert headline in README, "the README's table is not that of metrics/headline.md"
