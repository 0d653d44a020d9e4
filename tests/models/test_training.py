from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from stockcast.errors import TrainingError
from stockcast.models.factory import build_network
from stockcast.models.heads import make_head
from stockcast.models.training import fit

SETTINGS: dict[str, Any] = {
    "head": make_head("point"),
    "epochs": 3,
    "batch_size": 4,
    "learning_rate": 1e-2,
    "optimizer": "adam",
    "clip_norm": 1.0,
    "patience": 10,
    "windows_per_epoch": None,
    "seed": 0,
}


class Recorded:
    """Examples that remember which rows were asked for."""

    def __init__(self, inputs: np.ndarray, answers: np.ndarray) -> None:
        self._inputs, self._answers = inputs.astype(np.float32), answers.astype(np.float32)
        self.asked: list[list[int]] = []

    def __len__(self) -> int:
        return len(self._inputs)

    def inputs(self, rows: Any = slice(None)) -> np.ndarray:
        self.asked.append(list(np.arange(len(self))[rows]))
        return self._inputs[rows]

    def answers(self, rows: Any = slice(None)) -> np.ndarray:
        return self._answers[rows]


def yesterdays_value(count: int) -> Recorded:
    values = np.random.default_rng(0).uniform(-1, 1, size=(count, 3, 1))
    return Recorded(values, values[:, -1])


def tiny(**changes: Any) -> Any:
    sizes: dict[str, Any] = {"layers": (8,), "dropout": 0.0, "window": 3, "features": 1, "horizon": 1}
    settings = {"head": make_head("point"), "shortcut": False, "shrinkage": 0.0}
    return build_network(cell="lstm", **{**sizes, **settings, **changes})


def epochs_of(examples: Recorded, *, batches: int) -> Iterator[list[int]]:
    asked = examples.asked[-3 * batches :]  # Keras looks at a few batches first, to learn their shapes
    for epoch in range(3):
        yield [row for batch in asked[epoch * batches : (epoch + 1) * batches] for row in batch]


def test_every_epoch_sees_every_window_once_in_an_order_of_its_own() -> None:
    examples = yesterdays_value(10)
    fit(tiny(), examples, yesterdays_value(4), **SETTINGS)
    orders = list(epochs_of(examples, batches=3))
    assert all(sorted(order) == list(range(10)) for order in orders)
    assert orders[0] != orders[1] != orders[2]
    # The order is that of the seed and the epoch alone, whatever else draws random numbers.
    for epoch, order in enumerate(orders):
        assert order == list(np.random.default_rng((0, epoch)).permutation(10))


def test_an_epoch_draws_as_many_windows_as_it_was_told_none_twice_and_each_epoch_others() -> None:
    examples = yesterdays_value(40)
    fit(tiny(), examples, yesterdays_value(4), **{**SETTINGS, "windows_per_epoch": 10})
    draws = list(epochs_of(examples, batches=3))
    assert [len(set(draw)) for draw in draws] == [len(draw) for draw in draws] == [10, 10, 10]
    assert len({frozenset(draw) for draw in draws}) == 3
    # From all of the windows: three fair draws of 10 miss all of the last 30 but for once in 10**27.
    assert all(max(draw) >= 10 for draw in draws)


def test_an_epoch_that_may_draw_more_windows_than_there_are_draws_each_of_them_once() -> None:
    examples = yesterdays_value(10)
    fit(tiny(), examples, yesterdays_value(4), **{**SETTINGS, "windows_per_epoch": 1000})
    assert all(sorted(draw) == list(range(10)) for draw in epochs_of(examples, batches=3))


def test_validation_windows_are_all_looked_at_however_few_an_epoch_draws() -> None:
    validation = yesterdays_value(30)
    fit(tiny(), yesterdays_value(40), validation, **{**SETTINGS, "windows_per_epoch": 5})
    assert validation.asked[-1] == list(range(30))


def test_the_history_names_the_member_that_was_trained() -> None:
    told: list[Any] = []
    history = fit(tiny(), yesterdays_value(10), yesterdays_value(4), **SETTINGS, member=3, report=told.append)
    assert [(epoch.epoch, epoch.member) for epoch in history] == [(1, 3), (2, 3), (3, 3)]
    assert told == history


def test_shrinkage_pulls_the_answers_weights_to_zero_while_it_learns() -> None:
    network = tiny(shrinkage=10.0)
    before = np.abs(network.get_layer("dense").get_weights()[0]).max()
    fit(network, yesterdays_value(64), yesterdays_value(16), **{**SETTINGS, "learning_rate": 0.05})
    assert np.abs(network.get_layer("dense").get_weights()[0]).max() < 0.3 * before


def test_the_same_seed_gives_the_same_order_and_the_same_losses() -> None:
    runs = []
    for _ in range(2):
        examples = yesterdays_value(10)
        history = fit(tiny(dropout=0.3, seed=5), examples, yesterdays_value(4), **SETTINGS)
        runs.append((list(epochs_of(examples, batches=3)), [(epoch.loss, epoch.val_loss) for epoch in history]))
    assert runs[0] == runs[1]


def test_a_network_that_answers_one_day_learns_to_copy_yesterday() -> None:
    # The variance of the answers is 1/3; a loss that compared each answer with every other could not fall below it.
    history = fit(tiny(), yesterdays_value(256), yesterdays_value(64), **{**SETTINGS, "epochs": 40, "batch_size": 16})
    assert min(epoch.val_loss for epoch in history) < 0.01


@pytest.mark.parametrize("horizon", [1, 2])
def test_a_network_that_answers_several_columns_learns_each_of_them(horizon: int) -> None:
    # Yesterday's value in the first column, its negative in the second, one and a half in the third. The best answer
    # to a mix-up of two columns would leave at least the variance of a third of the answers: more than 0.1.
    def examples(count: int) -> Recorded:
        values = np.random.default_rng(0).uniform(-1, 1, size=(count, 3, 1))
        last = np.repeat(values[:, -1:], horizon, axis=1)
        return Recorded(values, np.concatenate([last, -last, 0 * last + 1.5], axis=2))

    head = make_head("point", columns=3)
    settings = {**SETTINGS, "head": head, "epochs": 40, "batch_size": 16}
    network = tiny(horizon=horizon, head=head)
    history = fit(network, examples(256), examples(64), **settings)
    assert min(epoch.val_loss for epoch in history) < 0.02
    answers = np.asarray(network(np.full((1, 3, 1), 0.5, dtype=np.float32)))
    np.testing.assert_allclose(answers[0], [[0.5, -0.5, 1.5]] * horizon, atol=0.25)


def test_the_weights_kept_are_those_of_the_best_validation_epoch() -> None:
    training, validation = yesterdays_value(64), yesterdays_value(32)
    validation = Recorded(validation.inputs(), -validation.answers())  # what is learnt makes validation worse
    network = tiny()
    history = fit(network, training, validation, **{**SETTINGS, "epochs": 8, "patience": 3})
    best = min(history, key=lambda epoch: epoch.val_loss)
    assert len(history) == best.epoch + 3
    errors = validation.answers() - np.asarray(network(validation.inputs()))[:, :, 0]
    assert np.mean(errors**2) == pytest.approx(best.val_loss, rel=1e-4)


def test_a_loss_that_is_no_number_stops_training_and_says_what_to_lower() -> None:
    wild = Recorded(np.ones((8, 3, 1)), np.full((8, 1), np.inf))
    with pytest.raises(TrainingError, match="learning_rate"):
        fit(tiny(), wild, yesterdays_value(4), **SETTINGS)
