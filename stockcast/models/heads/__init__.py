"""Heads: the meaning of the last layer, its outputs per day ahead, and the loss that trains them.

    point       one price per column                                mse, mae, huber, msle
    student_t   location, scale, degrees of freedom                 nll
    skewed_t    mean, deviation, degrees of freedom, skewness       nll
    quantile    the median and the steps outward from it            pinball
    histogram   the probability of each return bin (softmax)        categorical_crossentropy, kl_divergence
    direction   two classes: the probability of up (sigmoid)        binary_crossentropy
                three classes: one probability each (softmax)       categorical_crossentropy

Losses are computed by Keras and run on any backend. Quantiles and probabilities are computed by numpy and scipy, so
that an exported network forecasts without a deep-learning library.
"""

from stockcast.models.heads.choice import HEADS, LOSSES, make_head
from stockcast.models.heads.head import Classes, Head

__all__ = ["HEADS", "LOSSES", "Classes", "Head", "make_head"]
