"""The scores of several series together, as a run stores them; values for `runs list` and `runs show`."""

import contextlib
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from stockcast.errors import RunError
from stockcast.runs.layout import pool_folder
from stockcast.runs.safe_io import parse_object, read_bytes
from stockcast.runs.values import mapping, number, score_of, word
from stockcast.text import printable, printable_name

_MOST_POOLS = 100
_MOST_SENTENCES = 50

_OF_TEST_DAYS = {"part": "test", "start": None, "insist": False}


@dataclass(frozen=True)
class PoolSummary:
    """The scores of several series on the run's test days.

    Attributes:
        folder: inside the run.
        members: number of the series.
        score: CRPS or Brier.
        skills: by baseline, over all steps, the mean of the series' skills.
        verdict: sentences; the last one sums up.
    """

    folder: str
    members: int
    score: str
    skills: dict[str, float]
    verdict: tuple[str, ...]


def newest_pool(run: Path) -> PoolSummary | None:
    """Return the pool of a run's test days that was made last, whatever its series; None if there is none."""
    newest: tuple[str, PoolSummary] | None = None
    for path in islice(sorted(run.glob(pool_folder("*"))), _MOST_POOLS):
        with contextlib.suppress(RunError):
            stated = parse_object(read_bytes(path / "pool.json", folder=run), source=path / "pool.json")
            created, pool = word(stated.get("created")) or "", _summary(stated, path.relative_to(run))
            if pool is not None and (newest is None or created > newest[0]):
                newest = created, pool
    return None if newest is None else newest[1]


def _summary(stated: dict[str, Any], folder: Path) -> PoolSummary | None:
    """Return what pool.json states; None of other days than the test's, or without a number of series."""
    split, members = mapping(stated.get("split")), number(stated.get("members"))
    if members is None or any(split.get(key) != value for key, value in _OF_TEST_DAYS.items()):
        return None
    against = {
        word(name): mapping(pooled) for name, pooled in mapping(mapping(stated.get("overall")).get("against")).items()
    }
    skills = {name: number(pooled.get("skill")) for name, pooled in against.items()}
    sentences = stated.get("verdict")
    return PoolSummary(
        folder=printable_name(folder.as_posix()),
        members=int(members),
        score=score_of(stated),
        skills={name: skill for name, skill in skills.items() if name and name != "best" and skill is not None},
        verdict=tuple(
            printable(sentence[:2000])
            for sentence in (sentences if isinstance(sentences, list) else [])[:_MOST_SENTENCES]
            if isinstance(sentence, str)
        ),
    )
