from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import log_loss

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
    "schedule": "constant",
    "clip_norm": 1.0,
    "clip_value": None,
    "weight_decay": 0.0,
    "patience": 10,
    "monitor": "val_loss",
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
    sizes |= {"shortcut": False, "shrinkage": 0.0, "head": make_head("point")}
    return build_network(cell="lstm", **{**sizes, **changes})


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


FAR = 1e6
"""Answers so far away that every gradient of the last bias is beyond any bound."""


def bias_by_epoch(**changes: Any) -> list[float]:
    """The last bias at first and after each of four epochs of one batch each, by plain gradient steps."""
    network = tiny()
    bias = [float(network.get_layer("dense").get_weights()[1][0])]
    place = [variable.path for variable in network.variables].index(network.get_layer("dense").bias.path)
    examples = Recorded(np.ones((4, 3, 1)), np.full((4, 1), FAR))
    settings = {**SETTINGS, "epochs": 4, "optimizer": "sgd", "learning_rate": 0.5, "clip_norm": None, **changes}
    fit(network, examples, examples, **settings, keep=lambda state: bias.append(float(state.network[place][0])))
    return bias


@pytest.mark.parametrize("bound", ["clip_norm", "clip_value"])
@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        ("constant", [0.5, 0.5, 0.5, 0.5]),
        # half the step size times 1 + cos(0, 45, 90, 135 degrees)
        ("cosine", [0.5, 0.4267767, 0.25, 0.0732233]),
        # a hundredth of it after four epochs: every epoch the fourth root of that
        ("exponential", [0.5, 0.1581139, 0.05, 0.0158114]),
    ],
)
def test_a_step_is_the_bounded_gradient_times_the_step_size_of_its_epoch(
    bound: str, schedule: str, rates: list[float]
) -> None:
    bias = bias_by_epoch(schedule=schedule, **{bound: 0.125})
    np.testing.assert_allclose(np.diff(bias), 0.125 * np.array(rates), rtol=1e-4)


def test_a_schedule_runs_over_the_batches_of_all_epochs() -> None:
    examples = Recorded(np.ones((8, 3, 1)), np.full((8, 1), FAR))
    network, moved = tiny(), []
    settings = {**SETTINGS, "optimizer": "sgd", "clip_norm": None, "clip_value": 1.0, "learning_rate": 1.0}
    fit(network, examples, examples, **{**settings, "epochs": 2, "schedule": "cosine", "batch_size": 2},
        keep=lambda state: moved.append(state.network))  # fmt: skip
    place = [variable.path for variable in network.variables].index(network.get_layer("dense").bias.path)
    # Eight steps, of 1 + cos(0, 22.5, 45, ... degrees), halved: the first four, then the last four.
    halves = [sum((1 + np.cos(np.pi * step / 8)) / 2 for step in steps) for steps in (range(4), range(4, 8))]
    assert moved[1][place][0] - moved[0][place][0] == pytest.approx(halves[1], rel=1e-4)


def test_clipping_by_norm_keeps_a_gradients_direction_and_by_value_bounds_each_weight() -> None:
    examples = Recorded(np.random.default_rng(0).normal(size=(16, 3, 1)), np.full((16, 1), FAR))
    moves = {}
    for bound in ("clip_norm", "clip_value"):
        network = tiny()
        before = network.get_layer("dense").get_weights()[0]
        settings = {**SETTINGS, "optimizer": "sgd", "learning_rate": 1.0, "epochs": 1, "batch_size": 16}
        fit(network, examples, examples, **{**settings, "clip_norm": None, bound: 0.01})
        moves[bound] = (network.get_layer("dense").get_weights()[0] - before).ravel()
    assert np.linalg.norm(moves["clip_norm"]) == pytest.approx(0.01, rel=1e-3)
    np.testing.assert_allclose(np.abs(moves["clip_value"]), 0.01, rtol=1e-3)


def test_weight_decay_takes_its_share_times_the_step_size_off_every_weight() -> None:
    examples = yesterdays_value(8)
    after = {}
    for decay in (0.0, 0.1):
        network = tiny()
        first = network.get_weights()
        settings = {**SETTINGS, "optimizer": "sgd", "learning_rate": 0.5, "epochs": 1, "batch_size": 8}
        fit(network, examples, examples, **{**settings, "weight_decay": decay})
        after[decay] = network.get_weights()
    for start, plain, decayed in zip(first, after[0.0], after[0.1], strict=True):
        np.testing.assert_allclose(decayed, plain - 0.1 * 0.5 * start, atol=1e-6)


def test_the_monitored_loss_picks_the_epoch_and_ends_the_training() -> None:
    training, validation = yesterdays_value(64), yesterdays_value(32)
    validation = Recorded(validation.inputs(), -validation.answers())  # what is learnt makes validation worse
    kept = {}
    for monitor in ("val_loss", "loss"):
        network = tiny()
        history = fit(network, training, validation, **{**SETTINGS, "epochs": 8, "patience": 3, "monitor": monitor})
        errors = validation.answers() - np.asarray(network(validation.inputs()))[:, :, 0]
        kept[monitor] = (len(history), np.mean(errors**2), history)
    assert kept["val_loss"][0] < 8
    epochs, error, history = kept["loss"]
    assert epochs == 8, "the training days' own loss falls to the end"
    best = min(history, key=lambda epoch: epoch.loss)
    assert error == pytest.approx(best.val_loss, rel=1e-4)
    assert error > kept["val_loss"][1]


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "sgd"])
@pytest.mark.parametrize("schedule", ["cosine", "exponential"])
def test_a_training_taken_up_again_goes_on_along_its_schedule_to_the_same_bits(optimizer: str, schedule: str) -> None:
    settings = {**SETTINGS, "epochs": 4, "optimizer": optimizer, "schedule": schedule, "weight_decay": 0.01}
    training, validation = yesterdays_value(10), yesterdays_value(4)
    whole, states = tiny(dropout=0.3), []
    fit(whole, training, validation, **settings, keep=states.append)
    again = tiny(dropout=0.3)
    fit(again, training, validation, **settings, state=states[1])
    for one, other in zip(whole.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_loss_that_is_no_number_names_the_bound_that_is_set() -> None:
    wild = Recorded(np.ones((8, 3, 1)), np.full((8, 1), np.inf))
    with pytest.raises(TrainingError, match=r"training\.clip_value \(now 0\.5\)"):
        fit(tiny(), wild, yesterdays_value(4), **{**SETTINGS, "clip_norm": None, "clip_value": 0.5})


def test_the_loss_of_a_direction_is_the_log_loss_of_the_probabilities_that_it_answers() -> None:
    head = make_head("direction")
    network = tiny(head=head)
    validation = yesterdays_value(64)
    history = fit(
        network, yesterdays_value(256), validation, **{**SETTINGS, "head": head, "epochs": 30, "batch_size": 16}
    )
    said = np.asarray(network(validation.inputs()))[:, 0, 0]
    best = min(epoch.val_loss for epoch in history)
    assert best == pytest.approx(log_loss(validation.answers()[:, 0] > 0, said), rel=1e-4)
    assert best < 0.4  # the value of yesterday tells the direction; a half for ever costs 0.69
