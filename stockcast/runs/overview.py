"""What the runs of a folder are, at a glance: values for `stockcast runs`, which prints them.

Everything here was read from runs, which can be anybody's: a value of the wrong kind counts as not there.
"""

import contextlib
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stockcast import yamlfile
from stockcast.errors import ConfigError, RunError
from stockcast.runs.condition import Condition, condition_of, is_run
from stockcast.runs.directory import RunDirectory, path_of
from stockcast.runs.names import BEGUN, MANIFEST, evaluation_folder
from stockcast.untrusted import lies_within, parse_object, printable, printable_name, read_bytes

METRICS = "metrics.json"


@dataclass(frozen=True)
class Summary:
    """One run in a line.

    Attributes:
        name: of its directory.
        condition: whole, unfinished or damaged, and why.
        created: when it was finished (or begun, if it is unfinished), UTC, such as 2026-01-31 17:05; None if unknown.
        series: what it learnt from, "SP500 and 20 more"; None if unknown.
        epochs: passes of all its members together; None if unknown.
        rival: name of the rival with the best score over all steps on the test days; None if not evaluated.
        skill: 1 - score(network) / score(rival), above 0 if the network is better.
        score: the one that skill is of: CRPS, or Brier for a run that says the direction; None if not evaluated.
        verdict: last sentence of its verdict on the test days; None if there is none.
    """

    name: str
    condition: Condition
    created: str | None = None
    series: str | None = None
    epochs: int | None = None
    rival: str | None = None
    skill: float | None = None
    score: str | None = None
    verdict: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain values for --json."""
        values = asdict(self)
        condition = values.pop("condition")
        return {"name": values.pop("name"), "state": condition["state"], **values, "faults": list(condition["faults"])}


@dataclass(frozen=True)
class Details:
    """Everything that made a run, and its verdict.

    Attributes:
        summary: the run in a line.
        made: what run.json (or begun.json) says besides the hashes, plain JSON values.
        config: the resolved config as it is stored, YAML; None if it is not there or damaged.
        verdict: sentences on the test days; None if there are none.
    """

    summary: Summary
    made: dict[str, Any]
    config: str | None
    verdict: list[str] | None

    def to_json(self) -> dict[str, Any]:
        """Return plain values for --json."""
        config = None
        if self.config is not None:
            with contextlib.suppress(ConfigError):
                config = plain(yamlfile.parse(self.config, source="config.yaml"))
        return {**self.summary.to_json(), "made": self.made, "config": config, "verdict": self.verdict}


def list_runs(root: Path) -> list[Summary]:
    """Return a summary of every run under `root`, newest first; those of an unknown day come last."""
    return sorted(map(summarize, run_paths(root)), key=lambda one: one.created or "", reverse=True)


def run_paths(root: Path) -> list[Path]:
    """Return the directories of all runs under `root`, also those that are links to elsewhere, by name.

    Raises:
        RunError: `root` cannot be read.
    """
    try:
        inside = sorted(root.iterdir()) if root.exists() else []
    except OSError as error:
        raise RunError(f"{root} cannot be read: {error.strerror}. Choose another --runs.") from error
    return [path for path in inside if path.is_symlink() or (path.is_dir() and is_run(path))]


def locate(root: Path, run: str) -> Path:
    """Return the directory of a run, in whatever state: by name under `root`, or by path.

    Raises:
        RunError: there is none.
    """
    path = path_of(root, run)
    if path is None or not is_run(path):
        raise RunError(
            f"No run named {run!r} in {root.absolute()}. See `stockcast runs list`, or name the folder of your runs "
            f"with --runs."
        )
    return path


def check(path: Path) -> Condition:
    """Tell the condition of a run; of one that is a link to somewhere else only that."""
    if path.is_symlink() and not lies_within(path, path.parent):
        name = printable_name(path.name)
        return Condition("damaged", (printable(f"{name}: it is a link that leads out of {path.parent}"),))
    return condition_of(path)


def summarize(path: Path) -> Summary:
    """Look at the run in a directory."""
    name, condition = printable_name(path.name), check(path)
    if path.is_symlink() and condition.state == "damaged":
        return Summary(name, condition)
    made = _made(path)
    epochs = number(mapping(made.get("training")).get("epochs"))
    metrics = _metrics(path)
    rival, skill = _best_rival(metrics)
    sentences = RunDirectory(path).verdict()
    return Summary(
        name=name,
        condition=condition,
        created=_moment(made.get("created")),
        series=_series(made),
        epochs=None if epochs is None else int(epochs),
        rival=rival,
        skill=skill,
        score=None if rival is None else score_of(metrics),
        verdict=sentences[-1] if sentences else None,
    )


def detail(path: Path) -> Details:
    """Return all that is known of the run in a directory."""
    run = RunDirectory(path)
    config = None
    with contextlib.suppress(RunError, UnicodeDecodeError, ConfigError):
        if (path / MANIFEST).exists():
            run.config_path()  # checked against the manifest
        config = printable(read_bytes(path / "config.yaml", folder=path).decode("utf-8"))
    told = _made(path)
    left_out = {"files", "status", *(["data"] if told.get("series") else [])}  # data is the first series again
    made = {printable(key): plain(value) for key, value in told.items() if key not in left_out}
    return Details(summarize(path), made, config, run.verdict())


def metrics_of(path: Path) -> dict[str, Any]:
    """Return the numbers of a run's evaluation on its test days.

    Raises:
        RunError: it was not evaluated, or metrics.json is damaged.
    """
    file = path / evaluation_folder("test") / METRICS
    if not file.exists():
        raise RunError(f"{path.name} has not been evaluated. Next: stockcast evaluate {path.name}")
    return parse_object(read_bytes(file, folder=path), source=file)


def _metrics(path: Path) -> dict[str, Any]:
    with contextlib.suppress(RunError):
        return metrics_of(path)
    return {}


def _made(path: Path) -> dict[str, Any]:
    """What run.json says, or begun.json where there is no other; empty if neither can be read."""
    with contextlib.suppress(RunError):
        return RunDirectory(path).manifest()
    with contextlib.suppress(RunError):
        return parse_object(read_bytes(path / BEGUN, folder=path), source=path / BEGUN)
    return {}


def _moment(created: Any) -> str | None:
    """A time as ISO writes it, in UTC to the minute."""
    try:
        return f"{datetime.fromisoformat(created).astimezone(UTC):%Y-%m-%d %H:%M}"
    except (TypeError, ValueError, OverflowError):
        return None


def _series(made: dict[str, Any]) -> str | None:
    series = made.get("series")
    names = [word(mapping(one).get("name")) for one in series] if isinstance(series, list) else []
    if not names or names[0] is None:
        return None
    first = names[0].removesuffix(".csv")
    return first if len(names) == 1 else f"{first} and {len(names) - 1} more"


def _best_rival(metrics: dict[str, Any]) -> tuple[str | None, float | None]:
    """The rival that leaves the network least skill, and how much."""
    skills = skills_of(mapping(metrics.get("overall")))
    return min(skills.items(), key=lambda one: one[1]) if skills else (None, None)


def score_of(metrics: dict[str, Any]) -> str:
    """Return the score that the skills of metrics.json are of; without one, as older runs have it, it is the CRPS."""
    return "Brier" if metrics.get("score") == "brier" else "CRPS"


def skills_of(comparison: dict[str, Any]) -> dict[str, float]:
    """Return the skill against each rival that a comparison of metrics.json holds, 1 - score / score of the rival."""
    found = {word(name): number(value) for name, value in mapping(comparison.get("skill")).items()}
    return {name: value for name, value in found.items() if name is not None and value is not None}


def mapping(value: Any) -> dict[str, Any]:
    """Return a value read from a run if it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def word(value: Any, *, most: int = 60) -> str | None:
    """Return a value read from a run as a short printable text in one line, None if it is no text."""
    return " ".join(printable(value[:most]).split()) if isinstance(value, str) and value else None


def number(value: Any) -> float | None:
    """Return a value read from a run as a finite number, None if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # a whole number of hundreds of digits
        return None


def plain(value: Any) -> Any:
    """Return a value read from a run so that it can be printed as JSON: text printable, numbers finite."""
    if isinstance(value, dict):
        return {printable(str(key)): plain(one) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(one) for one in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value if number(value) is not None else None
    return printable(str(value))
