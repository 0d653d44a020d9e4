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
    from stockcast.forecasting.folds import FoldPlan
    from stockcast.forecasting.predictor import Predictor
    from stockcast.models.callbacks import Callbacks
    from stockcast.pipeline.audit import audit
    from stockcast.pipeline.backtest import backtest
    from stockcast.pipeline.backtest_result import save_backtest
    from stockcast.pipeline.evaluate import evaluate, save_evaluation
    from stockcast.pipeline.evaluate_pool import evaluate_pool, save_pool_evaluation
    from stockcast.pipeline.explain import explain, save_explanation
    from stockcast.pipeline.judge import judge
    from stockcast.pipeline.judgement import save_judgement
    from stockcast.pipeline.predict import predict, save_prediction
    from stockcast.pipeline.predict_pool import predict_pool, save_pool_prediction
    from stockcast.pipeline.report import report, save_report
    from stockcast.pipeline.resume import resume
    from stockcast.pipeline.train import train
    from stockcast.pipeline.tune import TuningPlan, tune
    from stockcast.runs.directory import RunDirectory

_MODULES = {
    "Callbacks": "models.callbacks",
    "FoldPlan": "forecasting.folds",
    "Predictor": "forecasting.predictor",
    "RunDirectory": "runs.directory",
    "StockcastError": "errors",
    "TuningPlan": "pipeline.tune",
    "audit": "pipeline.audit",
    "backtest": "pipeline.backtest",
    "chances": "distribution.chances",
    "evaluate": "pipeline.evaluate",
    "evaluate_pool": "pipeline.evaluate_pool",
    "explain": "pipeline.explain",
    "judge": "pipeline.judge",
    "load_config": "config.load",
    "predict": "pipeline.predict",
    "predict_pool": "pipeline.predict_pool",
    "quantile_rows": "distribution.chances",
    "read_prices": "data.prices",
    "report": "pipeline.report",
    "resume": "pipeline.resume",
    "sample_paths": "distribution.paths",
    "save_backtest": "pipeline.backtest_result",
    "save_evaluation": "pipeline.evaluate",
    "save_explanation": "pipeline.explain",
    "save_judgement": "pipeline.judgement",
    "save_pool_evaluation": "pipeline.evaluate_pool",
    "save_pool_prediction": "pipeline.predict_pool",
    "save_prediction": "pipeline.predict",
    "save_report": "pipeline.report",
    "train": "pipeline.train",
    "tune": "pipeline.tune",
}

__all__ = [
    "Callbacks", "FoldPlan", "Predictor", "RunDirectory", "StockcastError", "TuningPlan", "audit", "backtest",
    "chances", "evaluate", "evaluate_pool", "explain", "judge", "load_config", "plots", "predict", "predict_pool",
    "quantile_rows", "read_prices", "report", "resume", "sample_paths", "save_backtest", "save_evaluation",
    "save_explanation", "save_judgement", "save_pool_evaluation", "save_pool_prediction", "save_prediction",
    "save_report", "train", "tune",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "plots":
        return import_module("stockcast.plots")
    if name in _MODULES:
        return getattr(import_module(f"stockcast.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
