"""The rooms and the direction in which they know each other."""

import ast
import subprocess
import sys

import pytest
from made import REPOSITORY

PACKAGE = REPOSITORY / "stockcast"
WINGS = ("data", "models", "evaluation")
HEAVY = ("tensorflow", "keras", "pandas", "matplotlib", "sklearn", "scipy", "onnxruntime", "exchange_calendars")


def imports_of(module: str) -> set[str]:
    """Modules of stockcast that a module names in any import statement, wherever it stands."""
    tree = ast.parse((PACKAGE / module).read_text())
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("stockcast"):
            found.add(node.module.removeprefix("stockcast").lstrip("."))
        elif isinstance(node, ast.Import):
            found |= {name.name.removeprefix("stockcast.") for name in node.names if name.name.startswith("stockcast.")}
    return found


def modules(wing: str) -> list[str]:
    return [path.relative_to(PACKAGE).as_posix() for path in (PACKAGE / wing).glob("*.py")]


@pytest.mark.parametrize("wing", WINGS)
def test_a_wing_stands_on_the_ground_floor_and_itself_only(wing: str) -> None:
    allowed = ("forecast", "errors", wing)
    for module in modules(wing):
        strangers = [name for name in imports_of(module) if not name.startswith(allowed)]
        assert not strangers, f"{module} imports {strangers}"


@pytest.mark.parametrize("module", ["forecast.py", "errors.py"])
def test_the_ground_floor_stands_on_nothing(module: str) -> None:
    assert imports_of(module) == set()


def test_only_the_pipeline_and_the_command_line_know_the_config() -> None:
    modules = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")}
    knowing = {module for module in modules if "config" in imports_of(module)}
    assert {module.partition("/")[0] for module in knowing} == {"pipeline", "cli"}


def test_nothing_in_the_package_opens_a_pickle() -> None:
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text()
        for door in ("import pickle", "joblib", "allow_pickle", "safe_mode", "yaml.load(", "UnsafeLoader"):
            assert door not in text, f"{path.name} has {door}"


@pytest.mark.parametrize("argument", ["--help", "--version", "train --help", "predict --help"])
def test_help_loads_no_heavy_library(argument: str) -> None:
    assert loaded_by(*argument.split()).isdisjoint(HEAVY)


def loaded_by(*arguments: str) -> set[str]:
    """Top-level modules that a command has loaded when it ends."""
    code = (
        "import sys\n"
        "from stockcast.cli import main\n"
        f"sys.argv = ['stockcast', *{list(arguments)!r}]\n"
        "try:\n    main()\n"
        "finally:\n    print('loaded:', *{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.rpartition("loaded:")[2].split())
