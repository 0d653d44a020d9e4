"""READ FIRST: train, evaluate, predict, explain and audit, each as the sentence that describes it.

    CSV -> Prices -> features -> split -> scaler -> windows -> network -> Forecast -> scores -> verdict -> plots -> run

`series.py` makes a price file ready for a network and a network's answers a forecast; `stored.py` opens what a run
keeps, and the market that it looks at; `rebuilt.py` builds its networks. `training.py`, `evaluation.py`,
`prediction.py`, `explanation.py` and `auditing.py` are the five commands, each with rooms beside it:

- training: `preparation.py`, what every network of an ensemble learns from; `members.py`, these side by side, each
  further lane a process of `lane.py`; `beforehand.py`, what a forecast would else work out each time; `resuming.py`,
  going on with a training that was stopped
- evaluation and prediction: `directions.py`, where a network says the direction and no price
- explanation: `statements.py`, the numbers that are explained; `findings.py`, what was found
- audit: `alterations.py` and `rerun.py`; runs against each other: `comparison.py`, `compared.py` and
  `kept.py`; a price file alone: `checking.py`

The rooms behind their imports know nothing of each other or of the config; they meet here. A room is loaded when its
command is first asked for: a forecast takes a second, and loading all of them would take a tenth of it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stockcast.pipeline.auditing import Audit, audit
    from stockcast.pipeline.checking import Checked, check
    from stockcast.pipeline.compared import Compared
    from stockcast.pipeline.comparison import compare, draw_comparison
    from stockcast.pipeline.directions import DirectionEvaluation, DirectionPrediction
    from stockcast.pipeline.evaluation import Evaluation, evaluate
    from stockcast.pipeline.explanation import explain
    from stockcast.pipeline.findings import Findings
    from stockcast.pipeline.members import dealt
    from stockcast.pipeline.prediction import Prediction, predict
    from stockcast.pipeline.resuming import resume
    from stockcast.pipeline.training import Trained, train

_ROOMS = {
    "auditing": ("Audit", "audit"),
    "checking": ("Checked", "check"),
    "compared": ("Compared",),
    "comparison": ("compare", "draw_comparison"),
    "directions": ("DirectionEvaluation", "DirectionPrediction"),
    "evaluation": ("Evaluation", "evaluate"),
    "explanation": ("explain",),
    "findings": ("Findings",),
    "members": ("dealt",),
    "prediction": ("Prediction", "predict"),
    "resuming": ("resume",),
    "training": ("Trained", "train"),
}

__all__ = [
    "Audit", "Checked", "Compared", "DirectionEvaluation", "DirectionPrediction", "Evaluation", "Findings",
    "Prediction", "Trained", "audit", "check", "compare", "dealt", "draw_comparison", "evaluate", "explain",
    "predict", "resume", "train",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    for room, names in _ROOMS.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{room}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
