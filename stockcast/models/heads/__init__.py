"""The last layer's meaning: how many numbers per horizon, the loss that trains them, and what they say.

    point       one number, of several columns one each             mse, mae, huber, msle
    student_t   location, scale, degrees of freedom                 nll
    skewed_t    mean, deviation, degrees of freedom, skewness       nll
    quantile    the median and steps outward from it                pinball
    histogram   the probability of each return bin (softmax)        categorical_crossentropy, kl_divergence
    direction   of two classes one probability (sigmoid)            binary_crossentropy
                of three classes three of them (softmax)            categorical_crossentropy

The losses are `keras.ops` and run on any backend; what is made of the answers (quantiles, probabilities) is numpy and
scipy, so that a forecast from an exported network needs no deep-learning library. A module a family; `choice.py` says
what goes together.
"""

from stockcast.models.heads.choice import HEADS, LOSSES, make_head, misfit
from stockcast.models.heads.head import Classes, Head

__all__ = ["HEADS", "LOSSES", "Classes", "Head", "make_head", "misfit"]
