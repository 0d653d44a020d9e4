"""Stock forecasts with honest scores: train, evaluate and predict from Python, as the commands do.

    import stockcast as sc

    run = sc.train(sc.load_config("quick"))
    sc.evaluate(run).verdict
    sc.Predictor.load(run).predict("GE.csv", horizon=10).to_frame()

Every name is loaded when it is first used: `import stockcast` takes a few milliseconds.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from stockcast import plots
    from stockcast.config.load import load_config
    from stockcast.data.prices import read_prices
    from stockcast.distribution.chances import chances, quantile_rows
    from stockcast.distribution.paths import sample_paths
    from stockcast.errors import StockcastError
    from stockcast.forecasting.predictor import Predictor
    from stockcast.models.callbacks import Callbacks
    from stockcast.pipeline.audit import audit
    from stockcast.pipeline.evaluate import evaluate, save_evaluation
    from stockcast.pipeline.evaluate_pool import evaluate_pool, save_pool_evaluation
    from stockcast.pipeline.explain import explain, save_explanation
    from stockcast.pipeline.predict import predict, save_paths, save_prediction
    from stockcast.pipeline.resume import resume
    from stockcast.pipeline.train import train
    from stockcast.runs.directory import RunDirectory

_MODULES = {
    "Callbacks": "models.callbacks",
    "Predictor": "forecasting.predictor",
    "RunDirectory": "runs.directory",
    "StockcastError": "errors",
    "audit": "pipeline.audit",
    "chances": "distribution.chances",
    "evaluate": "pipeline.evaluate",
    "evaluate_pool": "pipeline.evaluate_pool",
    "explain": "pipeline.explain",
    "load_config": "config.load",
    "predict": "pipeline.predict",
    "quantile_rows": "distribution.chances",
    "read_prices": "data.prices",
    "resume": "pipeline.resume",
    "sample_paths": "distribution.paths",
    "save_evaluation": "pipeline.evaluate",
    "save_explanation": "pipeline.explain",
    "save_paths": "pipeline.predict",
    "save_pool_evaluation": "pipeline.evaluate_pool",
    "save_prediction": "pipeline.predict",
    "train": "pipeline.train",
}

__all__ = [
    "Callbacks", "Predictor", "RunDirectory", "StockcastError", "audit", "chances", "evaluate", "evaluate_pool",
    "explain", "load_config", "plots", "predict", "quantile_rows", "read_prices", "resume", "sample_paths",
    "save_evaluation", "save_explanation", "save_paths", "save_pool_evaluation", "save_prediction", "train",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "plots":
        return import_module("stockcast.plots")
    if name in _MODULES:
        return getattr(import_module(f"stockcast.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
