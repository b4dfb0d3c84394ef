"""What the documentation says is so: commands, links, recipe keys, reasons and examples exist."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest

from fakesmrt_assets.cli.main import COMMANDS
from warehouse.cleanser.decoding import EncodingDecision
from warehouse.cleanser.signals import SIGNALS
from warehouse.database import query
from warehouse.recipes import Recipe, parse_recipe

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "docs/architecture.md",
    "docs/recipes.md",
    "docs/cleanser.md",
    "docs/plain_text.md",
    "docs/scaling.md",
    "docs/serving.md",
    "docs/training_database.md",
]
BUILT_BY_OTHERS = {"docs/asset_graph.png", "docs/results.md"}


def code_blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text()):
        path = ((ROOT / page).parent / target).resolve()
        if not target.startswith("https://") and str(path.relative_to(ROOT)) not in BUILT_BY_OTHERS:
            assert path.exists(), f"{page} links to {target}"


@pytest.mark.parametrize("page", PAGES)
def test_named_files_and_commands_exist(page: str) -> None:
    text = (ROOT / page).read_text()
    for name in re.findall(r"`((?:warehouse|fakesmrt_models|fakesmrt_assets|tests)/[\w./]+)`", text):
        if "NAME" not in name:
            assert (ROOT / name).exists(), f"{page} names {name}"
    for command in re.findall(r"\bfakesmrt ([a-z]+)\b", "\n".join(re.findall(r"`+[^`]+`+", text))):
        assert command in COMMANDS, f"{page} names fakesmrt {command}"


def test_the_readme_shows_every_command() -> None:
    table = re.findall(r"^\| `fakesmrt ([a-z]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert table == list(COMMANDS)


def test_every_recipe_key_is_described_with_its_default() -> None:
    described = dict(
        re.findall(r"^\| `([\w.]+)` \| `(.+?)` \|", (ROOT / "docs/recipes.md").read_text(), re.MULTILINE)
    )
    values = dataclasses.asdict(Recipe("any"))
    values.pop("name")
    defaults = {}
    for key, value in values.items():
        section = value if isinstance(value, dict) else {"": value}
        defaults |= {
            f"{key}.{name}".rstrip("."): json.loads(json.dumps(item)) for name, item in section.items()
        }
    stated = {key: None if text == "none" else json.loads(text) for key, text in described.items()}
    assert stated == defaults


def test_the_example_recipe_is_valid() -> None:
    (example,) = code_blocks("docs/recipes.md", "toml")
    assert parse_recipe("letters", example).corpora.weights == {"letters": 2.0, "drafts": 0.0}


def test_every_reason_is_described() -> None:
    view = (ROOT / "warehouse/views/corpus_training_chunk.sql").read_text()
    buckets = {"unscored", "head", "middle", "tail"}
    named_by_signal = {signal.name for signal in SIGNALS}
    reasons = set(re.findall(r"THEN\s+'(\w+)'", view)) - buckets - named_by_signal
    page = (ROOT / "docs/recipes.md").read_text()
    assert reasons
    assert not [reason for reason in reasons if f"`{reason}`" not in page]


def test_examples_of_python_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from warehouse.database import Warehouse
    from warehouse.home import Home

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAKESMRT_HOME", str(tmp_path / "home"))
    warehouse = Warehouse(Home(tmp_path / "home"))
    warehouse.initialise("salt")
    with warehouse.write("filling") as connection:
        connection.execute((ROOT / "tests/lineage/example_rows.sql").read_text())
        connection.execute("DELETE FROM corpus.chunk")
    warehouse.publish()
    Path("letter.txt").write_text("Dear reader,\n\nthis is short.\n")
    Path("posts.jsonl").write_text('{"id": 1, "text": "one two"}\n{"id": 2, "text": "one two"}\n')
    for example in code_blocks("README.md", "python") + code_blocks("docs/cleanser.md", "python"):
        exec(compile(example, "README.md", "exec"), {})  # noqa: S102  # our own page


def test_queries_shown_to_people_are_explained() -> None:
    for path in (ROOT / "warehouse/queries/examples").glob("*.sql"):
        assert query(f"examples/{path.stem}").startswith("-- "), path


def test_every_reason_for_dropped_bytes_is_described() -> None:
    page = (ROOT / "docs/cleanser.md").read_text()
    sources = sorted((ROOT / "warehouse/cleanser").rglob("*.py"))
    pattern = r'(?:DroppedRange\([^()]*(?:\([^()]*\)[^()]*)*|NoTextError\()"(\w+)"'
    reasons = {reason for path in sources for reason in re.findall(pattern, path.read_text())}
    assert len(reasons) > 10
    assert not [reason for reason in reasons if f"`{reason}`" not in page]


def test_every_flag_of_a_decision_is_described() -> None:
    page = (ROOT / "docs/cleanser.md").read_text()
    described = set(
        re.findall(r"^\| `(\w+)` \|", page.partition("| flag |")[2].partition("\n\n")[0], re.MULTILINE)
    )
    docstring = (EncodingDecision.__doc__ or "").partition("flags:")[2].partition("byte_order_mark_bytes:")[0]
    assert described == set(re.findall(r"``(\w+)``", docstring))
