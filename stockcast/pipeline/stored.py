"""What a run stored, opened and checked; and the series that it forecasts, beside the market that it looks at."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from stockcast.config import Config
from stockcast.data.calendar import sessions_after
from stockcast.data.features import MARKET, make_market
from stockcast.data.market import MOST, Market
from stockcast.data.prices import Prices
from stockcast.data.scaling import Scaler
from stockcast.data.targets import Target
from stockcast.errors import DataError, MissingColumns, NoOnnx, RunError
from stockcast.evaluation.calibration import Calibration, Stretch, calibration_from_json
from stockcast.models.inference import Network, keras_network, load_onnx
from stockcast.models.onnxfile import Shapes
from stockcast.pipeline.series import Say, Series, make_series, nobody, open_prices
from stockcast.runs import RunDirectory
from stockcast.runs.names import WEIGHTS


def own_file(run: RunDirectory) -> Path:
    """Return the price file that a run forecasts if none is named: the first that it learnt from.

    Not the first of `data.path`: a folder may hold other files by now.
    """
    return Path(run.learnt_from()[0]["path"])


def stored_scalers(run: RunDirectory, config: Config) -> tuple[Scaler, Target]:
    """Return the scalers that training stored.

    Raises:
        RunError: they are damaged, or of another config.
    """
    scalers = run.scalers()
    features, target = (Scaler.from_json(scalers.get(name, {})) for name in ("features", "target"))
    columns = config.target.names
    if (len(features.center), len(target.center)) != (len(config.features), len(columns)):
        raise RunError(
            f"{run.path}: scaler.json scales {len(features.center)} inputs and {len(target.center)} answers, and the "
            f"config has {len(config.features)} and {len(columns)}. Train again."
        )
    return features, Target(config.target.transform, target, columns)


def stored_network(run: RunDirectory, config: Config, say: Say = nobody) -> Network:
    """Open the network that training stored, checked to be one of this config's shape.

    Where there is none that ONNX Runtime opens, it is built again from the config and the stored weights, and that is
    told: Keras takes seconds to load.

    Raises:
        RunError: what is stored is not what training wrote, or of another config.
    """
    shapes = Shapes((config.window, len(config.features)), (config.steps, config.head.parameters))
    try:
        return load_onnx(run.onnx_path(), shapes=shapes)
    except NoOnnx as error:
        say(f"{error}; forecasting with Keras and {run.path / WEIGHTS} instead, which takes seconds longer.")
    from stockcast.pipeline.rebuilt import rebuild

    network, _ = rebuild(run, config)
    return keras_network(network, source=run.path / WEIGHTS)


def read_market(run: RunDirectory, config: Config, *, end: date | None, changed: Say = nobody) -> Market | None:
    """Read the market as it is today from the files that a run learnt from; None where its network does not look at it.

    Args:
        run: a finished run.
        config: its own, as it stands there; its `data.start` holds for the market, too.
        end: last day to read; None for each file's last.
        changed: told of every file that is not what it was when the run learnt from it.

    Raises:
        DataError: one of the files cannot be read.
        RunError: run.json names more files than a market is of.
    """
    if not set(config.features) & set(MARKET):
        return None
    learnt = {one["path"]: one["sha256"] for one in run.learnt_from()}
    if len(learnt) > MOST:
        raise RunError(f"{run.path}: run.json is damaged: it names {len(learnt)} price files. Train again.")

    def series() -> Iterator[Prices]:
        for path, sha256 in learnt.items():
            try:
                prices = open_prices(config.over(end=end), Path(path))
            except DataError as error:
                raise DataError(
                    f"{run.name} looks at the market, the mean of what it learnt from ({len(learnt)} price files), and "
                    f"one cannot be read. {error} Put it back where it was at the training, or train again."
                ) from error
            if prices.sha256 != sha256:
                changed(path)
            yield prices

    return make_market(series(), config.features)


def need(run: RunDirectory, config: Config, prices: Prices, market: Market | None, say: Say = nobody) -> Series:
    """Make the series that a run forecasts, or say in its name what the file lacks, or the market."""
    if market is not None:
        _check_market(run, config, prices, market, say)
    try:
        return make_series(config, prices, market)
    except MissingColumns as error:
        raise MissingColumns(f"{run.name} needs inputs that this file cannot give. {error}") from None


def _check_market(run: RunDirectory, config: Config, prices: Prices, market: Market, say: Say) -> None:
    """Refuse a last day that the market does not know; tell one that few of its series know."""
    last, (first_known, last_known) = prices.dates[-1], market.dates[[0, -1]]
    whose = f"the market that {run.name} looks at, the mean of the price files that it learnt from,"
    if last < first_known:
        raise DataError(
            f"{prices.source.name} ends on {last}, before {whose} begins on {first_known}. Use a newer file."
        )
    behind = last_known < last and sessions_after(last_known, 1, calendar=config.data.calendar)[0] <= last
    if behind or not (present := market.present_on(last)):
        raise DataError(
            f"{prices.source.name} runs to {last}, and {whose} lacks that day; its last is {last_known}. Bring these "
            f"files up to date (run.json lists them)."
        )
    if 2 * present < market.series:
        say(
            f"Only {present} of the {market.series} price files that {run.name} takes for the market have prices of "
            f"{last}. Bring them up to date (run.json lists them)."
        )


def stored_calibration(run: RunDirectory, config: Config) -> Calibration | Stretch | None:
    """Return what the calibration days showed, or None where the config asks for none."""
    return None if config.calibration == "none" else calibration_from_json(run.calibration())
