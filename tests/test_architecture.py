"""The rooms and the direction in which they know each other."""

import ast
import subprocess
import sys
from pathlib import Path

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
    return [path.relative_to(PACKAGE).as_posix() for path in (PACKAGE / wing).rglob("*.py")]


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


FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "torch"}
FORBIDDEN_CALLS = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "yaml.load",
    "yaml.load_all",
    "yaml.full_load",
    "yaml.unsafe_load",
    "pd.read_pickle",
    "pandas.read_pickle",
    "keras.models.load_model",
    "keras.saving.load_model",
    "enable_unsafe_deserialization",
}
FORBIDDEN_NAMES = {"UnsafeLoader", "FullLoader", "Loader", "enable_unsafe_deserialization", "read_pickle", "load_model"}
FORBIDDEN_ARGUMENTS = {"allow_pickle": False, "safe_mode": True, "shell": False}


def doors(source: str) -> list[str]:
    """What in a module's source could run or unpickle what a file says."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names if name.name.partition(".")[0] in FORBIDDEN_MODULES]
        elif isinstance(node, ast.ImportFrom):
            found += [node.module] if (node.module or "").partition(".")[0] in FORBIDDEN_MODULES else []
            found += [name.name for name in node.names if name.name in FORBIDDEN_NAMES]
        elif isinstance(node, ast.Attribute) and node.attr in FORBIDDEN_NAMES:
            found.append(node.attr)
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            found += [name] if name in FORBIDDEN_CALLS else []
            if name.endswith("import_module") and isinstance(node.args[0], ast.Constant):
                found += [node.args[0].value] if node.args[0].value.partition(".")[0] in FORBIDDEN_MODULES else []
            for keyword in node.keywords:
                harmless = FORBIDDEN_ARGUMENTS.get(keyword.arg or "")  # any other value, or a variable, is a door
                if harmless is not None and not (
                    isinstance(keyword.value, ast.Constant) and keyword.value.value is harmless
                ):
                    found.append(str(keyword.arg))
    return found


def test_nothing_in_the_package_runs_or_unpickles_what_a_file_says() -> None:
    for path in PACKAGE.rglob("*.py"):
        assert doors(path.read_text()) == [], path.name


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "import joblib.numpy_pickle as j",
        "from pickle import loads",
        "import shelve, marshal",
        "import torch",
        "importlib.import_module('pickle')",
        "eval('1')",
        "exec(text)",
        "__import__(name)",
        "yaml.load(text, Loader=chosen)",
        "yaml.unsafe_load(text)",
        "from yaml import UnsafeLoader",
        "yaml.load_all(text, yaml.UnsafeLoader)",
        "np.load(path, allow_pickle=True)",
        "np.load(path, allow_pickle=flag)",
        "keras.models.load_model(path)",
        "load(path, safe_mode=False)",
        "pd.read_pickle(path)",
        "subprocess.run(line, shell=True)",
    ],
)
def test_each_such_door_is_seen(line: str) -> None:
    assert doors(line)


@pytest.mark.parametrize("argument", ["--help", "--version", "train --help", "predict --help", "explain --help"])
def test_help_loads_no_heavy_library(argument: str) -> None:
    assert loaded_by(*argument.split()).isdisjoint(HEAVY)


@pytest.mark.parametrize("command", ["list", "verify", "show mine"])
def test_looking_at_runs_loads_no_heavy_library(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from test_overview import make_run, metrics

    for name in ("mine", "yours"):
        make_run(tmp_path / "runs", name, metrics=metrics())
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STOCKCAST_RUNS", raising=False)
    assert loaded_by("runs", *command.split()).isdisjoint({*HEAVY, "onnx"})


def test_comparing_runs_loads_nothing_that_learns_or_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from test_comparison import scored_runs

    scored_runs(tmp_path / "runs", mine=1.0, yours=1.5)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STOCKCAST_RUNS", raising=False)
    loaded = loaded_by("runs", "compare", "mine", "yours")
    assert loaded.isdisjoint({"tensorflow", "keras", "matplotlib", "sklearn", "onnx", "onnxruntime"})


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
