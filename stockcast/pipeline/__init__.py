"""READ FIRST: train, evaluate, predict, explain and audit, each as the sentence that describes it.

    CSV -> Prices -> features -> split -> scaler -> windows -> network -> Forecast -> scores -> verdict -> plots -> run

`series.py` makes a price file ready for a network and a network's answers a forecast; `training.py`, `evaluation.py`,
`prediction.py`, `explanation.py` and `audit.py` are the five commands; `findings.py` is what `explain` found, and
`rebuilt.py` the network that it looks into; `comparison.py` tells runs apart, `resume.py` goes on with a training that
was stopped, `check.py` judges a price file without training. The rooms behind their imports know nothing of each other
or of the config; they meet here.
"""

from stockcast.pipeline.audit import Audit, audit
from stockcast.pipeline.check import Checked, check
from stockcast.pipeline.comparison import Compared, compare, draw_comparison
from stockcast.pipeline.evaluation import Evaluation, evaluate
from stockcast.pipeline.explanation import explain
from stockcast.pipeline.findings import Findings
from stockcast.pipeline.prediction import Prediction, predict
from stockcast.pipeline.resume import resume
from stockcast.pipeline.training import Trained, train

__all__ = [
    "Audit", "Checked", "Compared", "Evaluation", "Findings", "Prediction", "Trained",
    "audit", "check", "compare", "draw_comparison", "evaluate", "explain", "predict", "resume", "train",
]  # fmt: skip
