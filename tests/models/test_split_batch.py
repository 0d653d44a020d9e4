"""A batch in two parts: the same outputs and gradients as in one, whatever its size."""

from copy import copy
from typing import Any

import numpy as np
import pytest
from made_networks import make_network

from stockcast.models.backend import load_keras
from stockcast.models.callbacks import Callbacks, TrainingState
from stockcast.models.fit import fit
from stockcast.models.heads import make_head
from stockcast.models.settings import FitSettings
from stockcast.models.split_batch import split_batch, split_pays_off
from stockcast.typing import Floats

WINDOW, FEATURES, HORIZON = 4, 2, 3


def network(*, dropout: float = 0.0) -> Any:
    return make_network(
        cell="lstm", layers=(5, 3), dropout=dropout, skip_connection=True, output_l2=1e-2, head=make_head("student_t"),
        window=WINDOW, features=FEATURES, horizon=HORIZON, seed=3,
    )  # fmt: skip


class Made:
    step_interval = 1

    def __init__(self, count: int) -> None:
        random = np.random.default_rng(count)
        self.inputs = random.standard_normal((count, WINDOW, FEATURES)).astype(np.float32)
        self.targets = random.standard_normal((count, HORIZON)).astype(np.float32)

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def origin_count(self) -> int:
        return len(self)

    def draw(self, generator: np.random.Generator, most: int | None = None) -> "Made":
        epoch, order = copy(self), generator.permutation(len(self))
        epoch.inputs, epoch.targets = self.inputs[order], self.targets[order]
        return epoch

    def batch(self, rows: slice) -> tuple[Floats, Floats]:
        return self.inputs[rows], self.targets[rows]


def trained(
    *,
    is_alone: bool,
    count: int,
    dropout: float = 0.0,
    states: list[TrainingState] | None = None,
    state: TrainingState | None = None,
) -> list[Floats]:
    made = network(dropout=dropout)
    settings = FitSettings(
        epochs=2, batch_size=256, learning_rate=0.01, optimizer="sgd", lr_schedule="constant", clip_norm=None,
        clip_value=None, weight_decay=0.0, patience=9, monitor="loss", windows_per_epoch=None, seed=1,
        is_alone=is_alone,
    )  # fmt: skip
    callbacks = Callbacks() if states is None else Callbacks(on_checkpoint=states.append)
    fit(made, Made(count), Made(1), head=make_head("student_t"), settings=settings, state=state, callbacks=callbacks)
    return [np.array(weights) for weights in made.get_weights()]


@pytest.mark.parametrize("size", [2, 5, 8])
def test_each_window_gets_its_own_outputs_in_its_own_place(size: int) -> None:
    whole = network()
    windows = Made(size).inputs
    np.testing.assert_allclose(
        split_batch(whole).predict_on_batch(windows), whole.predict_on_batch(windows), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize(
    "count",  # of 257 the last batch is one window, and its second part none
    [pytest.param(512, marks=pytest.mark.slow), pytest.param(300, marks=pytest.mark.slow), 257],
)
@pytest.mark.usefixtures("_on_a_processor")
def test_training_ends_in_the_weights_of_whole_batches(count: int) -> None:
    for split, whole in zip(trained(is_alone=True, count=count), trained(is_alone=False, count=count), strict=True):
        np.testing.assert_allclose(split, whole, rtol=1e-4, atol=1e-6)


@pytest.mark.usefixtures("_on_a_processor")
def test_a_state_holds_the_very_variables_of_the_network_that_is_built_again() -> None:
    states: list[TrainingState] = []
    weights = trained(is_alone=True, count=300, dropout=0.5, states=states)
    again = network(dropout=0.5)
    again.set_weights(list(states[-1].best))
    for resumed, other in zip(again.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(resumed, other)
    assert [array.shape for array in states[-1].network] == [tuple(variable.shape) for variable in again.variables]


@pytest.mark.usefixtures("_on_a_processor")
def test_only_large_batches_are_split() -> None:
    assert (split_pays_off(256), split_pays_off(255)) == (load_keras().backend.backend() == "tensorflow", False)


@pytest.fixture
def _on_a_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stockcast.models.split_batch.has_gpu", lambda: False)


@pytest.mark.slow
@pytest.mark.usefixtures("_on_a_processor")
def test_a_resumed_training_ends_in_the_same_bits() -> None:
    whole: list[TrainingState] = []
    resumed: list[TrainingState] = []
    trained(is_alone=True, count=300, dropout=0.5, states=whole)
    trained(is_alone=True, count=300, dropout=0.5, states=resumed, state=whole[0])
    assert (len(whole), len(resumed)) == (2, 1)
    for ours, theirs in zip(resumed[-1].network, whole[-1].network, strict=True):
        np.testing.assert_array_equal(ours, theirs)
