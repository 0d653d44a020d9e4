"""What a run works out once, so that a forecast of it need not: it is told in a second, and bands learn as they did.

The exchange's sessions around the last row; and where bands learn from every day as it comes, what the network says of
the days that have come since their calibration. Both are only a matter of time: where they do not fit, because the
library or the prices have changed, they are worked out anew. The newest forecast is always the network's own.
"""

import numpy as np

from stockcast.config import Config
from stockcast.data.calendar import Sessions, remember, sessions_around
from stockcast.errors import RunError
from stockcast.material import Answered, Material
from stockcast.models.inference import Network
from stockcast.pipeline.series import Series, first_lesson
from stockcast.runs import RunDirectory
from stockcast.runs.names import ANSWERS

_DAYS = 400
"""Days before the last row whose sessions are kept: `predict` holds a file's last year against them."""

_MOST = 2**25
"""Numbers that the network's answers may be to be kept, 128 MB; the default's are 260,000."""


def write_beforehand(run: RunDirectory, config: Config, series: Series, material: Material, network: Network) -> None:
    """Work out for the first series what `predict` will ask of it."""
    last = series.prices.dates[-1]
    sessions = sessions_around(last - _DAYS, last + _DAYS, calendar=config.data.calendar)
    if sessions.first <= last <= sessions.last:  # else the calendar does not reach these prices, as predict will tell
        run.write_sessions(sessions.since(max(sessions.first, last - _DAYS)).to_json())
    learn_from = first_lesson(config, series.prices)
    if learn_from is None:
        return
    origins = np.arange(max(config.window - 1, learn_from), len(series.closes) - 1)
    if not len(origins) or len(origins) * config.horizon * config.head.parameters > _MOST:
        return
    days = slice(int(origins[0]) - config.window + 1, int(origins[-1]) + 1)
    run.write_answers(
        dates=series.prices.dates[days],
        inputs=material.scaled[days],
        outputs=material.outputs(network, origins, steps=config.horizon),
    )


def recall(run: RunDirectory, config: Config) -> Answered | None:
    """Take the sessions that the run knows as known; return what its network said of days past, if that was kept.

    Raises:
        RunError: what is stored is not what training wrote, or of another config.
    """
    stored = run.sessions()
    sessions = None if stored is None else Sessions.from_json(stored)
    if sessions is not None:
        remember(config.data.calendar, sessions)
    answers = run.answers()
    if answers is None:
        return None
    answered = Answered(**answers)
    days = len(answered.dates)
    shapes = (answered.dates.shape, answered.inputs.shape, answered.outputs.shape)
    expected = (
        (days,),
        (days, len(config.features)),
        (days - config.window + 1, config.horizon, config.head.parameters),
    )
    if shapes != expected or days < config.window:
        raise RunError(
            f"{run.path / ANSWERS} holds the answers of another network: its arrays have the shapes {shapes}, and this "
            f"run's config says {expected}. Train again."
        )
    if not np.isfinite(answered.outputs).all() or (np.diff(answered.dates) <= np.timedelta64(0)).any():
        raise RunError(f"{run.path / ANSWERS} is damaged: its answers are no numbers, or its days out of order.")
    return answered
