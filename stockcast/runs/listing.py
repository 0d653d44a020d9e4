"""Values for `runs list` and `runs show`, which print them.

Everything here was read from runs, which anybody may have made: a value of the wrong kind counts as missing.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stockcast.config import yaml
from stockcast.errors import ConfigError, RunError
from stockcast.runs import layout
from stockcast.runs.checkpoints import Checkpoints
from stockcast.runs.directory import RunDirectory
from stockcast.runs.integrity import Integrity, check_integrity
from stockcast.runs.layout import BEGUN, MANIFEST, SCORES, evaluation_folder, is_in_package, names_pretrained
from stockcast.runs.names import entries, is_run, path_of
from stockcast.runs.pools import PoolSummary, newest_pool
from stockcast.runs.safe_io import lies_within, parse_object, read_bytes
from stockcast.runs.shipped import training_of
from stockcast.runs.values import mapping, number, plain, score_of, skills_of, word
from stockcast.text import printable, printable_name

METRICS = "metrics.json"


@dataclass(frozen=True)
class Summary:
    """One run in a line.

    Attributes:
        name: of its directory.
        condition: whole, unfinished or damaged, and why.
        created: when it was finished (or begun, if it is unfinished), UTC, such as 2026-01-31 17:05; None if unknown.
        ended: when its training was finished, or was interrupted, by the newest checkpoint, UTC; None while it is
            trained, or if unknown.
        is_training: whether a living process trains it.
        series: what it was trained on, "SP500 and 20 more"; None if unknown.
        epochs: of all its members together; None if unknown.
        epochs_by_member: of each member, so far; empty if unknown.
        baseline: the one with the best score over all steps on the test days; None if not evaluated.
        skill: 1 - score(network) / score(baseline), above 0 if the network is better.
        score: what skill is of: CRPS, or Brier for a run that forecasts the direction; None if not evaluated.
        verdict: last sentence of its verdict on the test days; None if there is none.
        members: number of series whose mean the skill is, and whose verdict; None for its first series alone.
        shipped: whether it ships inside the package.
    """

    name: str
    condition: Integrity
    created: str | None = None
    ended: datetime | None = None
    is_training: bool = False
    series: str | None = None
    epochs: int | None = None
    epochs_by_member: tuple[int, ...] = ()
    baseline: str | None = None
    skill: float | None = None
    score: str | None = None
    verdict: str | None = None
    members: int | None = None
    shipped: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return plain values for --json."""
        values = asdict(self)
        name, condition = values.pop("name"), values.pop("condition")
        values["ended"] = None if self.ended is None else _minute(self.ended)
        values["epochs_by_member"] = list(self.epochs_by_member)
        values = {"rival" if key == "baseline" else key: value for key, value in values.items()}
        return {"name": name, "state": condition["state"], **values, "faults": list(condition["faults"])}


@dataclass(frozen=True)
class Details:
    """Everything that made a run, and its verdict.

    Attributes:
        summary: the run in a line.
        made: what run.json (or begun.json) holds besides the hashes, plain JSON values.
        config: the resolved config as it is stored, YAML; None if it is not there or damaged.
        verdict: sentences on the test days of its first series; None if there are none.
        pool: its newest scores of several series on the test days; None if there are none.
        trained_on: number of series, and from which to which day, of the run that ships; None of others.
        scores: of the run that ships, on series that it was not trained on; empty where it has none.
    """

    summary: Summary
    made: dict[str, Any]
    config: str | None
    verdict: list[str] | None
    pool: PoolSummary | None = None
    trained_on: str | None = None
    scores: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return plain values for --json."""
        config = None
        if self.config is not None:
            with contextlib.suppress(ConfigError):
                config = plain(yaml.parse(self.config, source="config.yaml"))
        pool = None if self.pool is None else asdict(self.pool)
        values = {**self.summary.to_json(), "made": self.made, "config": config, "verdict": self.verdict, "pool": pool}
        return {**values, "scores": self.scores} if self.summary.shipped else values


def list_runs(root: Path) -> list[Summary]:
    """Return a summary of every run under `root`, and of the one that ships.

    Those that are being trained come first, then the others by the end of their training, the newest first; one of an
    unknown day after them, and last the run that ships.
    """
    own = sorted(map(summarize, run_paths(root)), key=_newest_first, reverse=True)
    return [*own, *map(summarize, shipped_paths())]


def _newest_first(run: Summary) -> tuple[bool, datetime, str]:
    return run.is_training, run.ended or datetime.min.replace(tzinfo=UTC), run.created or ""


def run_paths(root: Path) -> list[Path]:
    """Return the directories of all runs under `root`, also those that are links to elsewhere, by name."""
    try:
        inside = entries(root)
    except OSError as error:
        raise RunError(
            f"{root} cannot be read: {error.strerror}. Choose another --runs.", file=root, key="--runs"
        ) from error
    return [path for path in inside if path.is_symlink() or (path.is_dir() and is_run(path))]


def shipped_paths() -> list[Path]:
    """Return the directory of the run that ships inside the package, if one does."""
    return [layout.pretrained_folder()] if layout.has_pretrained() else []


def locate(root: Path, run: str) -> Path:
    """Return the directory of a run in any state, by name under `root`, abbreviated or not, or by path.

    Raises:
        RunError: there is none, or several have names that begin so.
    """
    if names_pretrained(root, run):
        return RunDirectory.pretrained(root).path
    path = path_of(root, run)
    if path is None or not is_run(path):
        raise RunError(
            f"No run named {run!r} in {root.absolute()}. See `stockcast runs list`, or name the folder of your runs "
            f"with --runs.",
            file=root,
            value=run,
        )
    return path


def check(path: Path) -> Integrity:
    """Return the condition of a run; of a link out of its folder only that."""
    if path.is_symlink() and not lies_within(path, path.parent):
        name = printable_name(path.name)
        return Integrity("damaged", (printable(f"{name}: it is a link that leads out of {path.parent}"),))
    return check_integrity(path)


def summarize(path: Path) -> Summary:
    """Return the summary of the run in a directory."""
    name, condition = printable_name(path.name), check(path)
    if path.is_symlink() and condition.state == "damaged":
        return Summary(name, condition)
    made = _made(path)
    begun_or_ended = _moment(made.get("created"))
    summary = Summary(
        name=name,
        condition=condition,
        created=None if begun_or_ended is None else _minute(begun_or_ended),
        ended=begun_or_ended,
        series=_series(made),
        shipped=is_in_package(path),
    )
    if condition.state == "unfinished":
        return _unfinished(summary, RunDirectory(path).checkpoints)
    summary = _with_epochs(summary, mapping(made.get("training")))
    pool = newest_pool(path)
    if pool is not None:
        return _with_scores(summary, pool.skills, pool.score, pool.verdict, members=pool.members)
    metrics: dict[str, Any] = {}
    with contextlib.suppress(RunError):
        metrics = metrics_of(path)
    sentences = RunDirectory(path).verdict() or []
    return _with_scores(summary, skills_of(mapping(metrics.get("overall"))), score_of(metrics), sentences)


def _unfinished(summary: Summary, checkpoints: Checkpoints) -> Summary:
    """Add whether a run is being trained, how far it is, and else when it was interrupted."""
    is_training, epochs = checkpoints.is_locked(), checkpoints.epochs()
    return replace(
        summary,
        ended=None if is_training else checkpoints.last_written() or summary.ended,
        is_training=is_training,
        epochs=sum(epochs),
        epochs_by_member=epochs,
    )


def _with_epochs(summary: Summary, training: dict[str, Any]) -> Summary:
    epochs, listed = number(training.get("epochs")), training.get("epochs_by_member")
    by_member = [number(count) for count in listed] if isinstance(listed, list) else []
    return replace(
        summary,
        epochs=None if epochs is None else int(epochs),
        epochs_by_member=tuple(int(count) for count in by_member if count is not None),
    )


def _with_scores(
    summary: Summary, skills: dict[str, float], score: str, sentences: Sequence[str], *, members: int | None = None
) -> Summary:
    """Add the skill against the baseline that is hardest to beat, and the last sentence of a verdict."""
    best = min(skills, key=lambda baseline: skills[baseline]) if skills else None
    return replace(
        summary,
        baseline=best,
        skill=None if best is None else skills[best],
        score=None if best is None else score,
        verdict=sentences[-1] if sentences else None,
        members=members,
    )


def detail(path: Path) -> Details:
    """Return all that is known of the run in a directory."""
    run = RunDirectory(path)
    config = None
    with contextlib.suppress(RunError, UnicodeDecodeError, ConfigError):
        if (path / MANIFEST).exists():
            run.config_path()  # checked against the manifest
        config = printable(read_bytes(path / "config.yaml", folder=path).decode("utf-8"))
    stated = _made(path)
    left_out = {"files", "status", *(["data"] if stated.get("series") else [])}  # data is the first series again
    made = {printable(key): plain(value) for key, value in stated.items() if key not in left_out}
    details = Details(summarize(path), made, config, run.verdict(), newest_pool(path))
    return _of_shipped(details, run) if is_in_package(path) else details


def _of_shipped(details: Details, run: RunDirectory) -> Details:
    """Add what is known of the run that ships: its training in a line, and its scores where they ship with it."""
    trained_on, scores = None, {}
    with contextlib.suppress(RunError):
        trained_on = str(training_of(run))
    with contextlib.suppress(RunError):
        scores = plain(parse_object(read_bytes(run.path / SCORES, folder=run.path), source=run.path / SCORES))
    return replace(details, trained_on=trained_on, scores=scores)


def metrics_of(path: Path) -> dict[str, Any]:
    """Return metrics.json of a run's test days; RunError if it was not evaluated, or the file is damaged."""
    file = path / evaluation_folder("test") / METRICS
    if not file.exists():
        raise RunError(f"{path.name} has not been evaluated. Next: stockcast evaluate {path.name}", file=file)
    return parse_object(read_bytes(file, folder=path), source=file)


def _made(path: Path) -> dict[str, Any]:
    """Return run.json, or begun.json where there is no other; empty if neither can be read."""
    with contextlib.suppress(RunError):
        return RunDirectory(path).manifest()
    with contextlib.suppress(RunError):
        return parse_object(read_bytes(path / BEGUN, folder=path), source=path / BEGUN)
    return {}


def _moment(created: Any) -> datetime | None:
    """Return an ISO time in UTC."""
    try:
        return datetime.fromisoformat(created).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _series(made: dict[str, Any]) -> str | None:
    series = made.get("series")
    names = [word(mapping(entry).get("name")) for entry in series] if isinstance(series, list) else []
    if not names or names[0] is None:
        return None
    first = names[0].removesuffix(".csv")
    return first if len(names) == 1 else f"{first} and {len(names) - 1} more"
