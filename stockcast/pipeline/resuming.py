"""A training that was stopped -> the same run, as if it had not been."""

from collections.abc import Callable
from typing import Any

from stockcast.config import Config, load_config
from stockcast.errors import RunError
from stockcast.models.factory import versions
from stockcast.models.training import Epoch
from stockcast.pipeline.members import checkpoint, count_lanes
from stockcast.pipeline.preparation import make_lessons, prepare
from stockcast.pipeline.series import Say, Series, nobody
from stockcast.pipeline.training import Trained, begin_details, carry_on
from stockcast.runs import RunDirectory


def resume(
    run: RunDirectory,
    *,
    config: Config | None = None,
    processes: int | None = None,
    say: Say = nobody,
    report: Callable[[Epoch], None] = nobody,
    begun: Callable[[RunDirectory], None] = nobody,
    pause: Callable[[], None] = nobody,
    tensorboard: bool = False,
) -> Trained:
    """Go on with an unfinished run from its last checkpoint; with the same data, machine and versions to the same bits.

    Args:
        run: an unfinished run.
        config: what the user asks for, refused if it is not what the run was begun with; None for no such check.
        processes: as of `train`.
        say: told what was mended in the data, and where the training goes on.
        report: told of each epoch to come.
        begun: told of the run once its training goes on.
        pause: called between batches and between stages; it may raise to end the training there.
        tensorboard: whether to write event files of the epochs to come into the run, too.

    Raises:
        RunError: config or data have changed, or another process trains the run.
        StockcastError: as `train`.
    """
    with run.underway.locked():
        stated = run.underway.begun()
        stored = load_config(run.config_path())
        if config is not None:
            asked, _ = prepare(config, nobody)
            if changed := _differences(stored.model_dump(mode="json"), asked.model_dump(mode="json")):
                raise RunError(
                    f"{run.name} was begun with another config, so it cannot go on as asked:\n"
                    + "\n".join(f"  {line}" for line in changed)
                    + "\nResume without CONFIG and --set, or train a new run."
                )
        stored, series = prepare(stored, say)
        lanes = count_lanes(stored.networks, most=processes)
        check_data(run, stated, series)
        now = versions()
        if stated.get("versions") != now:
            say(f"{run.name} was begun with other versions ({stated.get('versions')}); its last digits may differ.")
        say(f"{run.name}: {_standing(run, stored)}")
        begun(run)
        lessons = make_lessons(stored, series)
        return carry_on(
            stored, series, lessons, run, lanes=lanes, say=say, report=report, pause=pause, tensorboard=tensorboard
        )


def check_data(run: RunDirectory, stated: dict[str, Any], series: list[Series]) -> None:
    """Refuse to go on with prices that are not those of the beginning."""
    try:
        before = {one["path"]: one["sha256"] for one in stated["series"]}
    except (KeyError, TypeError) as error:
        raise RunError(f"{run.path} is damaged: begun.json lists no series ({error}). Train again.") from error
    now = {one["path"]: one["sha256"] for one in begin_details(series)["series"]}
    if changed := [path for path in {**before, **now} if before.get(path) != now.get(path)]:
        raise RunError(
            f"{run.name} cannot go on: {', '.join(changed)} changed since its training began (SHA-256). "
            f"Put the old data back, or train a new run."
        )


def _standing(run: RunDirectory, config: Config) -> str:
    """Say where the training goes on."""
    states = [checkpoint(run, member) for member in range(1, config.networks + 1)]
    epochs = [str(len(state.history)) if state else "0" for state in states]
    if not any(states):
        return "no epoch was finished; beginning again."
    of = " of its members" if len(states) > 1 else ""
    return f"going on after epoch {', '.join(epochs)}{of}."


def _differences(before: Any, now: Any, key: str = "") -> list[str]:
    """Name every key whose value differs."""
    if isinstance(before, dict) and isinstance(now, dict):
        return [
            line
            for name in {**before, **now}
            for line in _differences(before.get(name), now.get(name), f"{key}.{name}" if key else name)
        ]
    return [] if before == now else [f"{key}: {before} in the run, {now} now"]
