"""READ FIRST: train, evaluate, predict and audit, each as the sentence that describes it.

    CSV -> Prices -> features -> split -> scaler -> windows -> network -> Forecast -> scores -> verdict -> plots -> run

`series.py` makes a price file ready for a network and a network's answers a forecast; `training.py`, `evaluation.py`,
`prediction.py` and `audit.py` are the four commands, `directions.py` what the two in the middle do where a network
says the direction and no price; `resume.py` goes on with a training that was stopped, `check.py` judges a price file
without training. The rooms behind their imports know nothing of each other or of the config; they meet here.
"""

from stockcast.pipeline.audit import Audit, audit
from stockcast.pipeline.check import Checked, check
from stockcast.pipeline.directions import DirectionEvaluation, DirectionPrediction
from stockcast.pipeline.evaluation import Evaluation, evaluate
from stockcast.pipeline.prediction import Prediction, predict
from stockcast.pipeline.resume import resume
from stockcast.pipeline.training import Trained, train

__all__ = [
    "Audit", "Checked", "DirectionEvaluation", "DirectionPrediction", "Evaluation", "Prediction", "Trained",
    "audit", "check", "evaluate", "predict", "resume", "train",
]  # fmt: skip
