"""What training stored in a run: scalers, network and calibration, each checked to be of the run's config."""

from stockcast.config.schema import Config
from stockcast.data.scaler import Scaler
from stockcast.data.target import TargetTransform
from stockcast.errors import NoOnnx, RunError
from stockcast.evaluation.calibration.conformal import calibration_from_json
from stockcast.forecasting.reading import OnMessage
from stockcast.forecasting.tasks import DirectionTask, PriceTask, Task
from stockcast.models.inference import Network, keras_network
from stockcast.models.onnx.session import load_onnx
from stockcast.models.onnx.verify import Shapes
from stockcast.runs.directory import RunDirectory
from stockcast.runs.layout import SCALER, WEIGHTS


def load_scalers(run: RunDirectory, config: Config) -> tuple[Scaler, TargetTransform]:
    """Return the scalers that training stored.

    Raises:
        RunError: they are damaged, or of another config.
    """
    stored = run.scalers()
    features, target = (Scaler.from_json(stored.get(name, {})) for name in ("features", "target"))
    columns = config.target.names
    if (len(features.center), len(target.center)) != (len(config.features), len(columns)):
        raise RunError(
            f"{run.path}: scaler.json scales {len(features.center)} features and {len(target.center)} targets, but the "
            f"config has {len(config.features)} and {len(columns)}. Train again.",
            file=run.path / SCALER,
        )
    return features, TargetTransform(config.target.transform, target, columns)


def load_network(run: RunDirectory, config: Config, on_message: OnMessage) -> Network:
    """Open the network that training stored, checked to be of this config's shape.

    Where ONNX Runtime cannot open it, it is built from the config and the stored weights; Keras takes seconds to load.

    Raises:
        RunError: what is stored is not what training wrote, or of another config.
    """
    shapes = Shapes((config.window, len(config.features)), (config.steps, config.head.parameters))
    try:
        return load_onnx(run.onnx_path(), shapes=shapes)
    except NoOnnx as error:
        on_message(f"{error}; forecasting with Keras and {run.path / WEIGHTS} instead, which takes seconds longer.")
    from stockcast.forecasting.networks import load_keras_network

    network, _ = load_keras_network(run, config)
    return keras_network(network, source=run.path / WEIGHTS)


def load_task(run: RunDirectory, config: Config) -> Task:
    """Return what the run forecasts, with the calibration that training stored."""
    if config.head.classes is not None:
        return DirectionTask(config.head.classes)
    calibration = None if config.calibration == "none" else calibration_from_json(run.calibration())
    return PriceTask(calibration, config.adapt_from)
