from collections.abc import Iterator
from copy import copy
from typing import Any

import numpy as np
import pytest
from made_networks import make_network
from sklearn.metrics import log_loss

from stockcast.errors import TrainingError
from stockcast.models.callbacks import SILENT, Callbacks, EpochLog, TrainingState
from stockcast.models.fit import fit
from stockcast.models.heads import Head, make_head
from stockcast.models.settings import FitSettings

POINT = make_head("point")

SETTINGS: dict[str, Any] = {
    "epochs": 3,
    "batch_size": 4,
    "learning_rate": 1e-2,
    "optimizer": "adam",
    "lr_schedule": "constant",
    "clip_norm": 1.0,
    "clip_value": None,
    "weight_decay": 0.0,
    "patience": 10,
    "monitor": "val_loss",
    "windows_per_epoch": None,
    "seed": 0,
}


class Recorded:
    """Examples that remember which rows were drawn for."""

    step_interval = 1

    def __init__(self, inputs: np.ndarray, targets: np.ndarray) -> None:
        self.inputs, self.targets = inputs.astype(np.float32), targets.astype(np.float32)
        self.rows = list(range(len(inputs)))
        self.drawn: list[list[int]] = []

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def origin_count(self) -> int:
        return len(self.rows)

    def draw(self, generator: np.random.Generator, most: int | None = None) -> "Recorded":
        epoch = copy(self)  # which remembers in the same list
        epoch.rows = generator.permutation(len(self)).tolist()[:most]
        return epoch

    def batch(self, rows: slice) -> tuple[np.ndarray, np.ndarray]:
        self.drawn.append(self.rows[rows])
        return self.inputs[self.rows[rows]], self.targets[self.rows[rows]]


def yesterdays_value(count: int) -> Recorded:
    values = np.random.default_rng(0).uniform(-1, 1, size=(count, 3, 1))
    return Recorded(values, values[:, -1])


def tiny(**changes: Any) -> Any:
    sizes: dict[str, Any] = {"layers": (8,), "dropout": 0.0, "window": 3, "features": 1, "horizon": 1}
    sizes |= {"skip_connection": False, "output_l2": 0.0, "head": POINT, "cell": "last_day"}
    return make_network(**{**sizes, **changes})


def train(
    network: Any,
    training: Recorded,
    validation: Recorded,
    *,
    head: Head = POINT,
    member: int = 1,
    state: TrainingState | None = None,
    callbacks: Callbacks = SILENT,
    **changes: Any,
) -> list[EpochLog]:
    """Train with `SETTINGS`, but for these changes."""
    settings = FitSettings(**{**SETTINGS, **changes})
    return fit(
        network, training, validation, head=head, settings=settings, member=member, state=state, callbacks=callbacks
    )


def epochs_of(examples: Recorded, *, batches: int) -> Iterator[list[int]]:
    drawn = examples.drawn[-3 * batches :]  # Keras looks at a few batches first, for their shapes
    for epoch in range(3):
        yield [row for batch in drawn[epoch * batches : (epoch + 1) * batches] for row in batch]


def test_every_epoch_sees_every_window_once_in_an_order_of_its_own() -> None:
    examples = yesterdays_value(10)
    train(tiny(), examples, yesterdays_value(4))
    orders = list(epochs_of(examples, batches=3))
    assert all(sorted(order) == list(range(10)) for order in orders)
    assert orders[0] != orders[1] != orders[2]
    # The order is that of the seed and the epoch alone, whatever else draws random numbers.
    for epoch, order in enumerate(orders):
        assert order == list(np.random.default_rng((0, epoch)).permutation(10))


def test_an_epoch_draws_as_many_windows_as_it_was_told_none_twice_and_each_epoch_others() -> None:
    examples = yesterdays_value(40)
    train(tiny(), examples, yesterdays_value(4), windows_per_epoch=10)
    draws = list(epochs_of(examples, batches=3))
    assert [len(set(draw)) for draw in draws] == [len(draw) for draw in draws] == [10, 10, 10]
    assert len({frozenset(draw) for draw in draws}) == 3
    # From all of the windows: three fair draws of 10 miss all of the last 30 but for once in 10**27.
    assert all(max(draw) >= 10 for draw in draws)


def test_an_epoch_that_may_draw_more_windows_than_there_are_draws_each_of_them_once() -> None:
    examples = yesterdays_value(10)
    train(tiny(), examples, yesterdays_value(4), windows_per_epoch=1000)
    assert all(sorted(draw) == list(range(10)) for draw in epochs_of(examples, batches=3))


def test_validation_windows_are_all_looked_at_however_few_an_epoch_draws() -> None:
    validation = yesterdays_value(30)
    train(tiny(), yesterdays_value(40), validation, windows_per_epoch=5)
    assert validation.drawn[-1] == list(range(30))


def test_of_very_many_validation_windows_each_epoch_looks_at_the_same_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stockcast.models.fit._MOST_VALIDATED", 12)
    drawn = []
    for seed in (1, 2):
        validation = yesterdays_value(30)
        train(tiny(), yesterdays_value(40), validation, seed=seed)
        epochs = validation.drawn[-3:]
        assert epochs[0] == epochs[1] == epochs[2]
        assert len(set(epochs[0])) == 12
        drawn.append(epochs[0])
    assert drawn[0] == drawn[1] != list(range(12))


def test_the_history_names_the_member_that_was_trained() -> None:
    reported: list[EpochLog] = []
    callbacks = Callbacks(on_epoch_end=reported.append)
    history = train(tiny(), yesterdays_value(10), yesterdays_value(4), member=3, callbacks=callbacks)
    assert [(epoch.epoch, epoch.member) for epoch in history] == [(1, 3), (2, 3), (3, 3)]
    assert reported == history


def test_output_l2_pulls_the_dense_layers_weights_to_zero_in_training() -> None:
    network = tiny(output_l2=10.0)
    before = np.abs(network.get_layer("dense").get_weights()[0]).max()
    train(network, yesterdays_value(64), yesterdays_value(16), learning_rate=0.05)
    assert np.abs(network.get_layer("dense").get_weights()[0]).max() < 0.3 * before


def test_the_same_seed_gives_the_same_order_and_the_same_losses() -> None:
    runs = []
    for _ in range(2):
        examples = yesterdays_value(10)
        history = train(tiny(cell="lstm", dropout=0.3, seed=5), examples, yesterdays_value(4))
        runs.append((list(epochs_of(examples, batches=3)), [(epoch.loss, epoch.val_loss) for epoch in history]))
    assert runs[0] == runs[1]


@pytest.mark.slow
def test_a_network_of_one_day_learns_to_copy_yesterday() -> None:
    # The variance of the targets is 1/3; a loss that compared each target with every other could not fall below it.
    history = train(tiny(cell="lstm"), yesterdays_value(256), yesterdays_value(64), epochs=40, batch_size=16)
    assert min(epoch.val_loss for epoch in history) < 0.01


@pytest.mark.parametrize("horizon", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_a_network_of_several_columns_learns_each_of_them(horizon: int) -> None:
    # Yesterday's value in the first column, its negative in the second, one and a half in the third. The best outputs
    # for a mix-up of two columns would leave at least the variance of a third of the targets: more than 0.1.
    def examples(count: int) -> Recorded:
        values = np.random.default_rng(0).uniform(-1, 1, size=(count, 3, 1))
        last = np.repeat(values[:, -1:], horizon, axis=1)
        return Recorded(values, np.concatenate([last, -last, 0 * last + 1.5], axis=2))

    head = make_head("point", columns=3)
    network = tiny(horizon=horizon, head=head)
    history = train(network, examples(256), examples(64), head=head, epochs=40, batch_size=16)
    assert min(epoch.val_loss for epoch in history) < 0.02
    outputs = np.asarray(network(np.full((1, 3, 1), 0.5, dtype=np.float32)))
    np.testing.assert_allclose(outputs[0], [[0.5, -0.5, 1.5]] * horizon, atol=0.25)


def test_the_weights_kept_are_those_of_the_best_validation_epoch() -> None:
    training, validation = yesterdays_value(64), yesterdays_value(32)
    validation = Recorded(validation.inputs, -validation.targets)  # what is trained makes validation worse
    network = tiny()
    history = train(network, training, validation, epochs=8, patience=3)
    best = min(history, key=lambda epoch: epoch.val_loss)
    assert len(history) == best.epoch + 3
    errors = validation.targets - np.asarray(network(validation.inputs))[:, :, 0]
    assert np.mean(errors**2) == pytest.approx(best.val_loss, rel=1e-4)


def test_a_loss_that_is_not_finite_stops_training_and_says_what_to_lower() -> None:
    wild = Recorded(np.ones((8, 3, 1)), np.full((8, 1), np.inf))
    with pytest.raises(TrainingError, match="Lower") as error:
        train(tiny(), wild, yesterdays_value(4))
    assert (error.value.key, error.value.value) == ("training.learning_rate", 0.01)
    with pytest.raises(TrainingError, match="Lower") as error:
        train(tiny(), wild, yesterdays_value(4), learning_rate_key="ensemble.mlp.learning_rate")
    assert error.value.key == "ensemble.mlp.learning_rate"


FAR = 1e6
"""Targets so far away that every gradient of the last bias is beyond any bound."""


def bias_by_epoch(**changes: Any) -> list[float]:
    """The last bias at first and after each of four epochs of one batch each, by plain gradient steps."""
    network = tiny()
    bias = [float(network.get_layer("dense").get_weights()[1][0])]
    place = [variable.path for variable in network.variables].index(network.get_layer("dense").bias.path)
    examples = Recorded(np.ones((4, 3, 1)), np.full((4, 1), FAR))
    settings = {"epochs": 4, "optimizer": "sgd", "learning_rate": 0.5, "clip_norm": None, **changes}
    callbacks = Callbacks(on_checkpoint=lambda state: bias.append(float(state.network[place][0])))
    train(network, examples, examples, callbacks=callbacks, **settings)
    return bias


@pytest.mark.parametrize("bound", ["clip_norm", "clip_value"])
@pytest.mark.parametrize(
    ("lr_schedule", "rates"),
    [
        ("constant", [0.5, 0.5, 0.5, 0.5]),
        # half the step size times 1 + cos(0, 45, 90, 135 degrees)
        ("cosine", [0.5, 0.4267767, 0.25, 0.0732233]),
        # a hundredth of it after four epochs: every epoch the fourth root of that
        ("exponential", [0.5, 0.1581139, 0.05, 0.0158114]),
    ],
)
def test_a_step_is_the_bounded_gradient_times_the_step_size_of_its_epoch(
    bound: str, lr_schedule: str, rates: list[float]
) -> None:
    bias = bias_by_epoch(lr_schedule=lr_schedule, **{bound: 0.125})
    np.testing.assert_allclose(np.diff(bias), 0.125 * np.array(rates), rtol=1e-4)


def test_a_schedule_runs_over_the_batches_of_all_epochs() -> None:
    examples = Recorded(np.ones((8, 3, 1)), np.full((8, 1), FAR))
    network, moved = tiny(), []
    train(
        network, examples, examples, epochs=2, batch_size=2, optimizer="sgd", learning_rate=1.0, lr_schedule="cosine",
        clip_norm=None, clip_value=1.0, callbacks=Callbacks(on_checkpoint=lambda state: moved.append(state.network)),
    )  # fmt: skip
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
        settings = {"optimizer": "sgd", "learning_rate": 1.0, "epochs": 1, "batch_size": 16}
        train(network, examples, examples, **{**settings, "clip_norm": None, bound: 0.01})
        moves[bound] = (network.get_layer("dense").get_weights()[0] - before).ravel()
    assert np.linalg.norm(moves["clip_norm"]) == pytest.approx(0.01, rel=1e-3)
    np.testing.assert_allclose(np.abs(moves["clip_value"]), 0.01, rtol=1e-3)


def test_weight_decay_takes_its_share_times_the_step_size_off_every_weight() -> None:
    examples = yesterdays_value(8)
    after = {}
    for decay in (0.0, 0.1):
        network = tiny()
        first = network.get_weights()
        settings = {"optimizer": "sgd", "learning_rate": 0.5, "epochs": 1, "batch_size": 8}
        train(network, examples, examples, **settings, weight_decay=decay)
        after[decay] = network.get_weights()
    for start, plain, decayed in zip(first, after[0.0], after[0.1], strict=True):
        np.testing.assert_allclose(decayed, plain - 0.1 * 0.5 * start, atol=1e-6)


def test_the_monitored_loss_picks_the_epoch_and_ends_the_training() -> None:
    training, validation = yesterdays_value(64), yesterdays_value(32)
    validation = Recorded(validation.inputs, -validation.targets)  # what is trained makes validation worse
    kept = {}
    for monitor in ("val_loss", "loss"):
        network = tiny()
        history = train(network, training, validation, epochs=8, patience=3, monitor=monitor)
        errors = validation.targets - np.asarray(network(validation.inputs))[:, :, 0]
        kept[monitor] = (len(history), np.mean(errors**2), history)
    assert kept["val_loss"][0] < 8
    epochs, error, history = kept["loss"]
    assert epochs == 8, "the training days' own loss falls to the end"
    best = min(history, key=lambda epoch: epoch.loss)
    assert error == pytest.approx(best.val_loss, rel=1e-4)
    assert error > kept["val_loss"][1]


@pytest.mark.parametrize(
    ("cell", "optimizer", "lr_schedule"),
    [
        ("lstm", "adam", "cosine"),
        *(("last_day", optimizer, "cosine") for optimizer in ("rmsprop", "sgd")),
        *(("last_day", optimizer, "exponential") for optimizer in ("adam", "rmsprop", "sgd")),
        *(
            pytest.param("lstm", optimizer, lr_schedule, marks=pytest.mark.slow)
            for optimizer in ("adam", "rmsprop", "sgd")
            for lr_schedule in ("cosine", "exponential")
            if (optimizer, lr_schedule) != ("adam", "cosine")
        ),
    ],
)
def test_a_resumed_training_goes_on_along_its_schedule_to_the_same_bits(
    cell: str, optimizer: str, lr_schedule: str
) -> None:
    settings = {"epochs": 4, "optimizer": optimizer, "lr_schedule": lr_schedule, "weight_decay": 0.01}
    training, validation = yesterdays_value(10), yesterdays_value(4)
    whole, states = tiny(cell=cell, dropout=0.3), []
    train(whole, training, validation, **settings, callbacks=Callbacks(on_checkpoint=states.append))
    resumed = tiny(cell=cell, dropout=0.3)
    train(resumed, training, validation, **settings, state=states[1])
    for expected, weights in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(weights, expected)


def test_a_loss_that_is_not_finite_names_the_bound_that_is_set() -> None:
    wild = Recorded(np.ones((8, 3, 1)), np.full((8, 1), np.inf))
    with pytest.raises(TrainingError, match=r"clip_value.*0\.5"):
        train(tiny(), wild, yesterdays_value(4), clip_norm=None, clip_value=0.5)


@pytest.mark.slow
def test_the_loss_of_a_direction_is_the_log_loss_of_its_probabilities() -> None:
    head = make_head("direction")
    network = tiny(head=head)
    validation = yesterdays_value(64)
    history = train(network, yesterdays_value(256), validation, head=head, epochs=30, batch_size=16)
    up = np.asarray(network(validation.inputs))[:, 0, 0]
    best = min(epoch.val_loss for epoch in history)
    assert best == pytest.approx(log_loss(validation.targets[:, 0] > 0, up), rel=1e-4)
    assert best < 0.4  # the value of yesterday tells the direction; a half for ever costs 0.69
