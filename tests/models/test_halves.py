"""A batch in two halves: the same answers and gradients as in one, whatever its size."""

from typing import Any

import numpy as np
import pytest

from stockcast.forecast import Floats
from stockcast.models.backend import load_keras
from stockcast.models.factory import build_network
from stockcast.models.halves import in_halves, pays
from stockcast.models.heads import make_head
from stockcast.models.training import State, fit

WINDOW, FEATURES, HORIZON = 4, 2, 3


def network(*, dropout: float = 0.0) -> Any:
    return build_network(
        cell="lstm", layers=(5, 3), dropout=dropout, shortcut=True, shrinkage=1e-2, head=make_head("student_t"),
        window=WINDOW, features=FEATURES, horizon=HORIZON, seed=3,
    )  # fmt: skip


class Made:
    def __init__(self, count: int) -> None:
        random = np.random.default_rng(count)
        self._inputs = random.standard_normal((count, WINDOW, FEATURES)).astype(np.float32)
        self._answers = random.standard_normal((count, HORIZON)).astype(np.float32)

    def __len__(self) -> int:
        return len(self._inputs)

    def inputs(self, rows: Any) -> Floats:
        return self._inputs[rows]

    def answers(self, rows: Any) -> Floats:
        return self._answers[rows]


def trained(
    *, alone: bool, count: int, dropout: float = 0.0, states: list[State] | None = None, state: State | None = None
) -> list[Floats]:
    made = network(dropout=dropout)
    fit(
        made, Made(count), Made(1), head=make_head("student_t"), epochs=2, batch_size=256, learning_rate=0.01,
        optimizer="sgd", schedule="constant", clip_norm=None, clip_value=None, weight_decay=0.0, patience=9,
        monitor="loss", windows_per_epoch=None, seed=1, alone=alone, state=state,
        keep=(lambda state: None) if states is None else states.append,
    )  # fmt: skip
    return [np.array(weights) for weights in made.get_weights()]


@pytest.mark.parametrize("size", [2, 5, 8])
def test_each_window_gets_its_own_answer_in_its_own_place(size: int) -> None:
    whole = network()
    windows = Made(size).inputs(slice(None))
    np.testing.assert_allclose(
        in_halves(whole).predict_on_batch(windows), whole.predict_on_batch(windows), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("count", [512, 300, 257])  # 257: the last batch is one window, and its second half none
@pytest.mark.usefixtures("_on_a_processor")
def test_training_ends_in_the_weights_of_whole_batches(count: int) -> None:
    for halved, whole in zip(trained(alone=True, count=count), trained(alone=False, count=count), strict=True):
        np.testing.assert_allclose(halved, whole, rtol=1e-4, atol=1e-6)


@pytest.mark.usefixtures("_on_a_processor")
def test_a_state_holds_the_very_variables_of_the_network_that_is_built_again() -> None:
    states: list[State] = []
    weights = trained(alone=True, count=300, dropout=0.5, states=states)
    again = network(dropout=0.5)
    again.set_weights(list(states[-1].best))
    for one, other in zip(again.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert [one.shape for one in states[-1].network] == [tuple(one.shape) for one in again.variables]


@pytest.mark.usefixtures("_on_a_processor")
def test_only_large_batches_are_halved() -> None:
    assert (pays(256), pays(255)) == (load_keras().backend.backend() == "tensorflow", False)


@pytest.fixture
def _on_a_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stockcast.models.halves.has_gpu", lambda: False)


@pytest.mark.usefixtures("_on_a_processor")
def test_a_training_that_is_taken_up_again_ends_in_the_same_bits() -> None:
    whole: list[State] = []
    again: list[State] = []
    trained(alone=True, count=300, dropout=0.5, states=whole)
    trained(alone=True, count=300, dropout=0.5, states=again, state=whole[0])
    assert (len(whole), len(again)) == (2, 1)
    for one, other in zip(again[-1].network, whole[-1].network, strict=True):
        np.testing.assert_array_equal(one, other)
