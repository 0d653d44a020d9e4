"""The documents: the example runs, links lead somewhere, lists of keys and modules are those of the code."""

import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest
from made import REPOSITORY
from pydantic import BaseModel

from stockcast.config.schema import Config

PACKAGE = REPOSITORY / "stockcast"
README = REPOSITORY / "README.md"
CONTRIBUTING = REPOSITORY / "CONTRIBUTING.md"
DOCUMENTS = [
    README,
    CONTRIBUTING,
    *sorted((REPOSITORY / "docs").glob("*.md")),
    REPOSITORY / "data" / "README.md",
    REPOSITORY / "benchmarks" / "README.md",
]
of_each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))


@pytest.mark.slow
def test_the_python_example_of_the_readme_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```$", README.read_text(), flags=re.DOTALL | re.MULTILINE)
    (tmp_path / "example.py").write_text(example)
    (tmp_path / "data").symlink_to(REPOSITORY / "data", target_is_directory=True)  # so that runs/ is written here
    monkeypatch.chdir(tmp_path)
    made = runpy.run_path("example.py")
    frame = made["forecast"].to_frame()
    assert [*frame.columns] == ["date", "step", "median", "lower_50", "upper_50", "lower_90", "upper_90"]
    assert [*frame["step"]] == [*range(1, 11)]
    assert made["result"].verdict[-1] in capsys.readouterr().out
    run = made["run"].path
    written = {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()}
    assert written == {"run.json", *json.loads((run / "run.json").read_text())["files"]}  # what training wrote
    assert {path.name for path in tmp_path.iterdir()} == {"example.py", "data", "runs"}


def test_the_readme_has_at_most_1800_words() -> None:
    assert len(README.read_text().split()) <= 1800


def test_the_readme_shows_the_two_commands_that_the_gate_runs() -> None:
    commands = re.findall(r"^    (python -m pip install.*)$", README.read_text(), flags=re.MULTILINE)
    assert commands == [
        "python -m pip install -c constraints.txt -e . && stockcast train",
        'python -m pip install -c constraints.txt -e ".[test]" && python -m pytest -n 2',
    ]


def without_code(text: str) -> str:
    """A document without its blocks and spans of code."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"^    .*$", "", text, flags=re.MULTILINE)
    return re.sub(r"`[^`]*`", "", text)


def anchors(path: Path) -> set[str]:
    """What GitHub makes of a document's headings."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@of_each_document
def test_every_relative_link_leads_to_a_file_and_a_heading(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


NOT_OURS = (
    *("rivals?", "learnt", "learns from", "says", "said", "told", "answers", "asked"),
    *("nobody", "lessons?", "strangers?", "shortcut", "shrinkage"),
)
"""Words that the documents once had for baselines, training, outputs and keys."""


@of_each_document
def test_the_documents_keep_to_the_words_of_the_field(path: Path) -> None:
    prose = re.sub(r"\[[\w./-]*\]\([^)]*\)|\]\([^)]*\)", "", without_code(path.read_text()))  # no names of files
    found = re.findall(rf"\b(?:{'|'.join(NOT_OURS)})\b", prose, flags=re.IGNORECASE)
    assert found == []


def keys_of(section: type[BaseModel], prefix: str = "") -> list[str]:
    """Every key of a config that has a value, dotted."""
    keys = []
    for name, field in section.model_fields.items():
        kind: Any = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            keys += keys_of(kind, f"{prefix}{name}.")
        else:
            keys.append(f"{prefix}{name}")
    return keys


def test_the_page_on_the_config_has_every_key() -> None:
    text = (REPOSITORY / "docs" / "config.md").read_text()
    assert [key for key in keys_of(Config) if f"`{key}`" not in text] == []


def test_the_tree_in_contributing_has_every_module() -> None:
    listed, folder = set(), ""
    for line in re.findall(r"^    +\S.*$", CONTRIBUTING.read_text(), flags=re.MULTILINE):
        name = line.split()[0]
        if name == "configs/":
            break  # the folders next to the package
        if name.endswith("/"):
            folder = "" if name == "stockcast/" else name
        else:
            listed.add(f"{folder}{name}.py")
    modules = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"}
    assert listed == modules


def calls_in_contributing() -> list[tuple[list[str], list[str]]]:
    """Names of functions and the modules that have them, a row of the tables that follow a price."""
    chapter = CONTRIBUTING.read_text().partition("## How a price travels")[2].partition("\n## ")[0]
    rows = [line.split(" | ") for line in chapter.splitlines() if line.startswith("| ") and line.count(" | ") == 3]
    return [(re.findall(r"`([^`]+)`", row[1]), re.findall(r"`([^`]+)`", row[2])) for row in rows[1:] if "`" in row[1]]


def test_the_calls_in_contributing_are_in_the_modules_that_it_names() -> None:
    assert len(calls_in_contributing()) > 50
    for names, modules in calls_in_contributing():
        files = [
            file
            for module in modules
            for file in (
                [PACKAGE / f"{module}.py"] if (PACKAGE / f"{module}.py").exists() else (PACKAGE / module).glob("*.py")
            )
        ]
        source = "\n".join(file.read_text() for file in files)
        for name in names:
            last = name.rpartition(".")[2]
            assert re.search(rf"^\s*(?:def|class) {last}\b|^    {last}: ", source, flags=re.MULTILINE), (name, modules)
