"""The commands in process: what each does with a run, files and all, and a value of what came of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from stockcast.forecast import DirectionPrediction, Directions, Forecast, Prediction
from stockcast.models.callbacks import Callbacks
from stockcast.pipeline.audit import audit as run_audit
from stockcast.pipeline.check import DataReport
from stockcast.pipeline.check import check as run_check
from stockcast.pipeline.compare import compare
from stockcast.pipeline.evaluate import Evaluation, save_evaluation
from stockcast.pipeline.evaluate import evaluate as run_evaluate
from stockcast.pipeline.explain import explain as run_explain
from stockcast.pipeline.explain import save_explanation
from stockcast.pipeline.explanation import Explanation
from stockcast.pipeline.predict import predict as run_predict
from stockcast.pipeline.predict import save_prediction
from stockcast.pipeline.resume import resume as run_resume
from stockcast.pipeline.train import train as run_train
from stockcast.runs import RunDirectory

__all__ = ["audit", "check", "compare", "evaluate", "explain", "predict", "resume", "train"]


@dataclass(frozen=True)
class Trained:
    run: RunDirectory

    @property
    def epochs(self) -> int:
        return int(self.run.manifest()["training"]["epochs"])

    @property
    def best(self) -> dict[str, Any]:
        return dict(self.run.manifest()["training"])


@dataclass(frozen=True)
class Evaluated:
    value: Evaluation
    folder: Path

    def __getattr__(self, name: str) -> Any:
        return getattr(self.value, name)


@dataclass(frozen=True)
class Predicted:
    forecast: Forecast | Directions
    rows: list[dict[str, Any]]
    table: Path
    value: Prediction | DirectionPrediction
    past_shares: Any = None
    flat: Any = None


@dataclass(frozen=True)
class Explained:
    value: Explanation
    folder: Path

    def __getattr__(self, name: str) -> Any:
        return getattr(self.value, name)


def _callbacks(
    say: Callable[[str], Any] | None = None,
    report: Callable[..., Any] | None = None,
    begun: Callable[[RunDirectory], Any] | None = None,
    pause: Callable[[], Any] | None = None,
) -> Callbacks:
    given = {
        "on_message": say,
        "on_epoch_end": report,
        "on_run_begin": None if begun is None else lambda path: begun(RunDirectory(path)),
        "on_batch_end": pause,
    }
    return Callbacks(**{name: call for name, call in given.items() if call is not None})


def train(config, *, runs, name=None, processes=1, tensorboard=False, **callbacks) -> Trained:
    return Trained(
        run_train(
            config,
            runs=runs,
            name=name,
            processes=processes,
            tensorboard=tensorboard,
            callbacks=_callbacks(**callbacks),
        )
    )


def resume(run, *, config=None, processes=1, tensorboard=False, **callbacks) -> Trained:
    return Trained(
        run_resume(run, config=config, processes=processes, tensorboard=tensorboard, callbacks=_callbacks(**callbacks))
    )


def evaluate(
    run, *, data=None, part="test", start: date | None = None, insist=False, picture=False, say=None, report=None
) -> Evaluated:
    callbacks = Callbacks(**({"on_message": say} if say else {}), **({"on_baseline": report} if report else {}))
    found = run_evaluate(run, data, part=part, start=start, insist=insist, callbacks=callbacks)
    return Evaluated(found, save_evaluation(run, found, plot=picture))


def predict(run, *, data=None, horizon=None, output=None, picture=False, say=None) -> Predicted:
    found = run_predict(run, data, horizon=horizon, callbacks=_callbacks(say))
    folder = save_prediction(run, found, folder=output, plot=picture)
    past = {name: getattr(found, name, None) for name in ("past_shares", "flat")}
    return Predicted(found.forecast, found.rows(), folder / "forecast.csv", found, **past)


def explain(run, *, day=None, data=None, output=None, picture=False, say=None) -> Explained:
    found = run_explain(run, data, day=day, callbacks=_callbacks(say))
    return Explained(found, save_explanation(run, found, folder=output, plot=picture))


def audit(run, *, cuts=8, epochs=1, seed=0, say=None):
    return run_audit(run, cuts=cuts, epochs=epochs, seed=seed, callbacks=_callbacks(say))


def check(path, *, overrides=(), covariates=None) -> DataReport:
    (report,) = run_check(path, overrides=overrides, covariates=covariates)
    return report
