"""Columns of one's own in a config: which are inputs, and how each becomes one."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import Field

from stockcast.config.values import Section
from stockcast.data.csv.names import spelling
from stockcast.data.csv.options import OwnColumn, Transform
from stockcast.data.csv.own_header import KNOWN, OWN
from stockcast.data.known_days import KNOWN_DAYS, is_known_column
from stockcast.data.own_columns import is_own
from stockcast.text import join_words


class CovariateConfig(Section):
    """How a column of one's own becomes an input."""

    transform: Transform = Field(
        "zscore_250",
        description="Input made of the values: level, as they are; change, less the value of the day before; "
        "log_change, the log of their ratio; or zscore_250, deviations from the mean of the last 250 days, at most 6, "
        "the default: it takes values of any sign and unit, and stays within its range where a level drifts away from "
        "that of the training days.",
    )
    carry: int = Field(
        5,
        ge=0,
        le=250,
        description="Most trading days for which a value stands in for missing ones after it; then the input is the "
        "mean of the training days. The default, a week, spans other countries' holidays; 0 for none.",
    )


def own_columns(features: Sequence[str], covariates: Mapping[str, CovariateConfig]) -> tuple[OwnColumn, ...]:
    """Return the own columns among features, each with its settings or the default ones."""
    settings = {spelling(name): setting for name, setting in covariates.items()}
    names = [feature.removeprefix(OWN) for feature in features if is_own(feature)]
    chosen = [(name, settings.get(spelling(name), CovariateConfig())) for name in names]
    return tuple(OwnColumn(name, setting.transform, setting.carry) for name, setting in chosen)


def known_columns(features: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the columns among features that are known ahead."""
    return tuple(feature.removeprefix(KNOWN) for feature in features if is_known_column(feature))


def check_covariates(features: Sequence[str], covariates: Mapping[str, CovariateConfig], *, file: Path | None) -> None:
    """Check that own columns are named once, that settings are of own columns, and that a file has some to read."""
    names: dict[str, str] = {}
    _check_known(features, file=file)
    for column in own_columns(features, {}):
        other = names.setdefault(spelling(column.name), column.name)
        if other != column.name:
            raise ValueError(f"features has {OWN}{other} and {OWN}{column.name}, which name one column: leave one out")
    settings: dict[str, str] = {}
    for name in covariates:
        if spelling(name) not in names:
            if spelling(name) in map(spelling, known_columns(features)):
                raise ValueError(
                    f"covariates.{name}: {KNOWN}{name} takes its values as they are. Remove these settings"
                )
            raise ValueError(
                f"covariates.{name}: {OWN}{name} is not in features, so its settings have no effect. Add it there, or "
                f"remove these settings"
            )
        if (other := settings.setdefault(spelling(name), name)) != name:
            raise ValueError(f"covariates.{name}: {other} and {name} name one column. Remove one of them")
    if file is not None and not names and not known_columns(features):
        raise ValueError(
            f"data.covariates is {file.name}, and no feature is a column of it: add {OWN}NAME to features, or leave "
            f"data.covariates out. `stockcast data check FILE --covariates {file.name}` lists the columns"
        )


def _check_known(features: Sequence[str], *, file: Path | None) -> None:
    """Check that columns that are known ahead are named once, as own columns are, and that there is a file of them."""
    names = {spelling(column.name): column.name for column in own_columns(features, {})}
    for name in known_columns(features):
        other = names.setdefault(spelling(name), name)
        if other != name:
            raise ValueError(f"features has {KNOWN}{name} and {other}, which name one column: spell them alike")
        if file is None:
            near = difflib.get_close_matches(KNOWN + name, KNOWN_DAYS, n=1)
            raise ValueError(
                f"features has {KNOWN}{name}, a column of a file of covariates that is known ahead, and "
                f"data.covariates names no file: set it (--covariates FILE), or leave the feature out. What the "
                f"calendar announces is {join_words(list(KNOWN_DAYS))}" + (f"; perhaps {near[0]}" if near else "")
            )
