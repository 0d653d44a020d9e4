"""Which folder of the package may import which, and what no module may do or load."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from made import REPOSITORY

PACKAGE = REPOSITORY / "stockcast"
HEAVY = ("tensorflow", "keras", "pandas", "matplotlib", "sklearn", "scipy", "onnxruntime", "exchange_calendars", "ray")

GROUND = ("errors", "limits", "typing", "text", "tickers", "inputs", "frequency", "forecast")
_USE_RUNS = (*GROUND, "distribution", "data", "models", "evaluation", "config", "runs", "plots")
ALLOWED = {
    **dict.fromkeys(GROUND, GROUND),
    "distribution": (*GROUND, "distribution"),
    "data": (*GROUND, "data"),
    "models": (*GROUND, "models"),
    "evaluation": (*GROUND, "distribution", "evaluation"),
    "config": (*GROUND, "data", "models", "config"),
    "plots": (*GROUND, "models", "evaluation", "plots"),
    "runs": (*GROUND, "config.yaml", "runs"),
    "reports": (*GROUND, "runs.values", "reports"),
    "sources": (*GROUND, "data", "runs.files", "sources"),
    "ledger": (*GROUND, "ledger"),
    "cache": (*GROUND, "data", "runs.npz", "cache"),
    "tuning": (*GROUND, "config", "tuning"),
    "forecasting": (*_USE_RUNS, "cache", "forecasting"),
    "execution": (*_USE_RUNS, "forecasting", "execution"),
    "judging": (*GROUND, "distribution", "data", "evaluation", "runs.npz", "runs.safe_io", "judging"),
    "pipeline": (*_USE_RUNS, "judging", "reports", "ledger", "tuning", "forecasting", "execution", "pipeline"),
    "cli": (*_USE_RUNS, "sources", "ledger", "forecasting", "execution", "pipeline", "cli"),
    "__main__": ("cli",),
    "__init__": (*_USE_RUNS, "forecasting", "pipeline"),
}
"""Folder, or module beside the folders -> what its modules may import, wherever in them the import stands."""

KNOW_CONFIG = {"config", "tuning", "forecasting", "execution", "pipeline", "cli", "__init__"}
"""Runs may read YAML with `config.yaml`, and nothing else of it."""


def is_module(dotted: str) -> bool:
    path = PACKAGE.joinpath(*dotted.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def imports_in(source: str, *, package: str = "", lazily: bool = True) -> set[str]:
    """Modules of stockcast that a module names in any import statement, without "stockcast." before them.

    Args:
        source: of the module.
        package: the folder it is in, dotted, for imports relative to it.
        lazily: also those inside functions.
    """
    found = set()
    for node in statements(ast.parse(source), lazily=lazily):
        if isinstance(node, ast.Import):
            names = [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            home = (node.module or "").split(".") if node.module else []
            if node.level:
                inside = ["stockcast", *filter(None, package.split("."))]
                home = [*inside[: len(inside) + 1 - node.level], *home]
            names = [".".join([*home, name.name]) for name in node.names]
        else:
            continue
        for name in names:
            top, _, inner = name.partition(".")
            if top != "stockcast" or inner == "__version__":
                continue
            outer = inner.rpartition(".")[0]
            # What is no module is a name in one; `from stockcast import train` is a name in __init__.
            found.add(inner if inner and is_module(inner) else outer or "__init__")
    return found


def statements(tree: ast.AST, *, lazily: bool) -> list[ast.AST]:
    """Every node of a tree; without those inside functions, unless `lazily`."""
    found = [tree]
    for node in ast.iter_child_nodes(tree):
        if lazily or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            found += statements(node, lazily=lazily)
    return found


def imports_of(path: Path, *, lazily: bool = True) -> set[str]:
    package = ".".join(path.relative_to(PACKAGE).parent.parts)
    return imports_in(path.read_text(), package=package, lazily=lazily)


def modules(part: str) -> list[Path]:
    """The modules of a folder of the package, or the one module of that name beside the folders."""
    return sorted((PACKAGE / part).rglob("*.py")) or [PACKAGE / f"{part}.py"]


def lies_in(module: str, part: str) -> bool:
    return f"{module}.".startswith(f"{part}.")


def strangers(part: str) -> list[str]:
    """What the modules of a part import and may not."""
    return [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in modules(part)
        for name in sorted(imports_of(path))
        if not any(lies_in(name, allowed) for allowed in ALLOWED[part])
    ]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("import stockcast.data.prices", {"data.prices"}),
        ("import stockcast.data.prices as prices, os", {"data.prices"}),
        ("import stockcast", {"__init__"}),
        ("from stockcast import plots", {"plots"}),
        ("from stockcast import errors, plots", {"errors", "plots"}),
        ("from stockcast import train", {"__init__"}),
        ("from stockcast import __version__", set()),
        ("from stockcast.config import yaml", {"config.yaml"}),
        ("from stockcast.config import yaml as config_yaml", {"config.yaml"}),
        ("from stockcast.config.yaml import parse", {"config.yaml"}),
        ("from stockcast.config.load import load_config", {"config.load"}),
        ("from stockcast.data import csv", {"data.csv"}),
        ("from . import prices", {"data.prices"}),
        ("from .csv.options import CsvOptions", {"data.csv.options"}),
        ("from .. import plots", {"plots"}),
        ("from ..config import yaml", {"config.yaml"}),
        ("def f():\n    from stockcast import plots", {"plots"}),
        ("if TYPE_CHECKING:\n    from stockcast import plots", {"plots"}),
        ("from stockcastle import x\nimport os.path", set()),
    ],
)
def test_every_way_to_import_is_seen(line: str, found: set[str]) -> None:
    assert imports_in(line, package="data") == found


def test_an_import_inside_a_function_is_told_from_one_outside() -> None:
    source = "if TYPE_CHECKING:\n    import stockcast.errors\ndef f():\n    if x:\n        from stockcast import plots"
    assert imports_in(source, lazily=False) == {"errors"}
    assert imports_in("class C:\n    from stockcast import plots", lazily=False) == {"plots"}


def test_every_folder_and_module_has_its_rule() -> None:
    parts = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in PACKAGE.rglob("*.py")}
    assert parts == set(ALLOWED)


@pytest.mark.parametrize("part", ALLOWED)
def test_a_folder_imports_only_what_it_may(part: str) -> None:
    assert strangers(part) == []


def test_only_who_may_know_the_config_imports_it() -> None:
    knowing = {
        part for part in ALLOWED for path in modules(part) if any(lies_in(m, "config") for m in imports_of(path))
    }
    assert knowing - {"runs"} <= KNOW_CONFIG
    of_runs = {name for path in modules("runs") for name in imports_of(path) if lies_in(name, "config")}
    assert of_runs == {"config.yaml"}


@pytest.mark.parametrize("part", ["forecasting", "execution"])
def test_who_forecasts_loads_the_pictures_only_when_one_is_drawn(part: str) -> None:
    eager = {path.name for path in modules(part) for name in imports_of(path, lazily=False) if lies_in(name, "plots")}
    assert eager == set()


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


@pytest.mark.parametrize(
    "argument",
    ["--help", "--version", "train --help", "predict --help", "explain --help", "download --help", "tune --help"],
)
def test_help_loads_no_heavy_library(argument: str) -> None:
    assert loaded_by(*argument.split()).isdisjoint(HEAVY)


@pytest.mark.parametrize("command", ["list", "verify", "show mine"])
def test_looking_at_runs_loads_no_heavy_library(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from test_listing import make_run, metrics

    for name in ("mine", "yours"):
        make_run(tmp_path / "runs", name, metrics=metrics())
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STOCKCAST_RUNS", raising=False)
    assert loaded_by("runs", *command.split()).isdisjoint({*HEAVY, "onnx"})


@pytest.mark.parametrize("command", ["head", "verify", "show"])
def test_looking_at_a_ledger_loads_no_heavy_library(command: str, tmp_path: Path) -> None:
    from ledger.test_chain import append

    append(tmp_path / "mine.jsonl", {"text": "a note"})
    assert loaded_by("ledger", command, "--ledger", str(tmp_path / "mine.jsonl")).isdisjoint(HEAVY)


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
