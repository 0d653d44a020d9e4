"""A network trained on sequences is the network that forecasts from windows."""

from typing import Any

import numpy as np
import pytest
from made_networks import make_network

from stockcast.data.scaler import Scaler
from stockcast.data.sequences import SequenceDataset
from stockcast.data.target import TargetTransform
from stockcast.data.windows import WindowDataset
from stockcast.models.fit import fit
from stockcast.models.heads import LOSSES, Head, make_head
from stockcast.models.layers import CELLS
from stockcast.models.settings import FitSettings

WINDOW, LENGTH, HORIZON = 6, 15, 4
CAUSAL = sorted(name for name, cell in CELLS.items() if cell.is_causal)
SIZES: dict[str, Any] = {"features": 3, "layers": (5, 4), "dropout": 0.0, "skip_connection": True, "output_l2": 0.0}
DAYS = np.random.default_rng(0).normal(size=(2, LENGTH, 3)).astype(np.float32)
SETTINGS = FitSettings(epochs=1, batch_size=3, learning_rate=1e-3, patience=1)


def pair(cell: str = "lstm", *, head: Head | None = None, window: int = WINDOW, **changes: Any) -> tuple[Any, Any]:
    """The network of windows and that of sequences, with the same large weights."""
    sizes = {**SIZES, "horizon": HORIZON, "cell": cell, "head": head or make_head("student_t"), **changes}
    windows = make_network(**sizes, window=window)
    sequences = make_network(**sizes, window=window, sequence_length=LENGTH)
    random = np.random.default_rng(1)
    weights = [random.normal(scale=0.7, size=one.shape).astype(np.float32) for one in windows.get_weights()]
    windows.set_weights(weights)
    sequences.set_weights(weights)
    return windows, sequences


def test_those_that_look_ahead_or_at_a_whole_window_are_not_causal() -> None:
    assert set(CELLS) - set(CAUSAL) == {"bidirectional_lstm", "linear"}


@pytest.mark.parametrize("cell", CAUSAL)
@pytest.mark.parametrize("horizon", [1, HORIZON])
def test_the_first_answer_of_a_sequence_is_that_of_its_first_window(cell: str, horizon: int) -> None:
    windows, sequences = pair(cell, horizon=horizon)
    outputs = np.asarray(sequences(DAYS))

    assert outputs.shape == (2, LENGTH - WINDOW + 1, horizon, 3)
    np.testing.assert_allclose(outputs[:, 0], np.asarray(windows(DAYS[:, :WINDOW])), atol=1e-5)


@pytest.mark.parametrize("cell", sorted(set(CAUSAL) - {"conv", "last_day"}))
def test_a_later_answer_is_that_of_a_window_from_the_sequences_first_day_on(cell: str) -> None:
    _, sequences = pair(cell)
    whole, _ = pair(cell, window=LENGTH - 1)

    np.testing.assert_allclose(np.asarray(sequences(DAYS))[:, -2], np.asarray(whole(DAYS[:, : LENGTH - 1])), atol=1e-5)


@pytest.mark.parametrize("cell", CAUSAL)
def test_no_answer_depends_on_a_later_day(cell: str) -> None:
    _, sequences = pair(cell)
    changed = DAYS.copy()
    changed[:, 10] += 1

    before, after = np.asarray(sequences(DAYS)), np.asarray(sequences(changed))
    assert (before[:, : 10 - WINDOW + 1] == after[:, : 10 - WINDOW + 1]).all()
    assert (before[:, 10 - WINDOW + 1] != after[:, 10 - WINDOW + 1]).any()


@pytest.mark.parametrize(("name", "loss"), [(name, loss) for name in LOSSES for loss in LOSSES[name]])
def test_the_loss_of_a_sequence_is_that_of_each_of_its_days(name: str, loss: str) -> None:
    head = make_head(name, loss=loss, classes=3 if loss == "categorical_crossentropy" and name == "direction" else None)
    random = np.random.default_rng(0)
    targets = random.normal(size=(2, 7, HORIZON)).astype(np.float32)
    outputs = random.normal(size=(2, 7, HORIZON, head.parameters)).astype(np.float32)

    losses = np.asarray(head.loss(targets, outputs))
    one_by_one = [[np.asarray(head.loss(targets[row, [day]], outputs[row, [day]]))[0] for day in range(7)]
                  for row in range(2)]  # fmt: skip
    np.testing.assert_allclose(losses, one_by_one, rtol=1e-5)


def test_the_loss_of_a_sequence_of_several_columns_is_that_of_each_of_its_days() -> None:
    head = make_head("point", columns=2)
    random = np.random.default_rng(0)
    targets, outputs = random.normal(size=(2, 2, 7, HORIZON, 2)).astype(np.float32)

    by_hand = ((targets - outputs) ** 2).mean(axis=(2, 3))
    np.testing.assert_allclose(np.asarray(head.loss(targets, outputs)), by_hand, rtol=1e-5)


def examples(days: int, *, seed: int) -> WindowDataset:
    """Windows whose target is the last day's first feature, on every day ahead."""
    random = np.random.default_rng(seed)
    scaled = random.uniform(-1, 1, size=(days, 3))
    price = TargetTransform("price", Scaler(np.array([0.0]), np.array([1.0]), np.array([0.0])))
    prices = np.concatenate([[0.0], scaled[:-1, 0]])
    origins = np.arange(WINDOW - 1, days - 1)
    return WindowDataset(scaled, prices, origins, window=WINDOW, horizon=1, target=price)


def trained(network: Any, training: Any, validation: Any, **changes: Any) -> list[Any]:
    settings = FitSettings(**{**vars(SETTINGS), **changes})
    return fit(network, training, validation, head=make_head("point"), settings=settings)


def test_the_validation_loss_of_sequences_is_the_mean_over_days_and_not_over_sequences() -> None:
    # Dense layers on a day's own inputs answer alike in windows and in sequences. 41 days leave the last sequence three
    # outputs of ten, and batches of three sequences leave a last batch of one.
    validation = examples(41, seed=1)
    assert len(validation) % 10
    windows, sequences = pair("last_day", head=make_head("point"), horizon=1)
    by_window, by_sequence = (
        trained(network, cut(examples(60, seed=2)), cut(validation), learning_rate=1e-9)[0].val_loss
        for network, cut in ((windows, lambda one: one), (sequences, lambda one: SequenceDataset.cut(one, LENGTH)))
    )
    assert by_sequence == pytest.approx(by_window, rel=1e-5)


def test_the_loss_of_a_long_horizon_is_the_mean_over_the_days_ahead_that_have_targets() -> None:
    # 33 steps: targets at 1, 3, 5 and so on, in sequences; at all of them in windows.
    head = make_head("student_t")
    short = examples(80, seed=3)
    validation = WindowDataset(
        short.scaled, short.target_prices, short.origins[:40], window=WINDOW, horizon=33, target=short.target
    )
    windows, sequences = pair("last_day", head=head, horizon=33)
    settings = FitSettings(**{**vars(SETTINGS), "learning_rate": 1e-9})
    cut = SequenceDataset.cut(validation, LENGTH)
    loss = fit(sequences, cut, cut, head=head, settings=settings)[0].val_loss

    inputs, targets = validation.batch(slice(None))
    odd = np.asarray(windows(inputs))[:, ::2]
    assert loss == pytest.approx(float(np.mean(np.asarray(head.loss(targets[:, ::2], odd)))), rel=1e-4)


@pytest.mark.slow
def test_a_network_learns_from_sequences_and_forecasts_from_windows() -> None:
    windows, sequences = (
        make_network(**SIZES, window=WINDOW, horizon=1, cell="lstm", head=make_head("point"), sequence_length=length)
        for length in (None, LENGTH)
    )
    training, validation = examples(600, seed=1), examples(200, seed=2)
    cut = [SequenceDataset.cut(windows, LENGTH) for windows in (training, validation)]
    trained(sequences, *cut, epochs=40, batch_size=8, learning_rate=0.02, patience=40)
    windows.set_weights(sequences.get_weights())

    inputs, targets = validation.batch(slice(None))
    error = np.mean((np.asarray(windows(inputs))[..., 0] - targets) ** 2)
    assert error < 0.02  # a constant has a third
