"""Who is measured in `speed.py`: stockcast, a tutorial's script, PyTorch by hand, neuralforecast, bare products.

Each function is one contender at one task, run in a process of its own. Same sizes for all: LSTM(50) -> dropout ->
LSTM(100) -> dropout -> Dense, windows of 50 days of 9 features, 50 days ahead, single precision. The tutorial's script
and PyTorch's loop are written here, in the way of many that are not.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

WINDOW, HORIZON, FEATURES, LAYERS = 50, 50, 9, (50, 100)
WINDOWS, BATCH = 6144, 256
HERE = Path(__file__).resolve().parent
PRICES = HERE.parent / "data" / "SP500.csv"


def examples() -> tuple[Any, Any]:
    """Made-up inputs and answers, float32."""
    random = np.random.default_rng(0)
    inputs = random.standard_normal((WINDOWS, WINDOW, FEATURES)).astype(np.float32)
    return inputs, random.standard_normal((WINDOWS, HORIZON)).astype(np.float32)


class Made:
    """Windows of made-up days, gathered by index as the program gathers its own."""

    step_interval = 1

    def __init__(self, count: int) -> None:
        self.origin_count = count
        random = np.random.default_rng(0)
        self._days = random.standard_normal((count + WINDOW, FEATURES)).astype(np.float32)
        self._answers = random.standard_normal((count, HORIZON)).astype(np.float32)

    def __len__(self) -> int:
        return len(self._answers)

    def draw(self, generator: Any, most: int | None = None) -> "Made":
        """Return themselves: made-up days need no order."""
        return self

    def batch(self, rows: slice) -> tuple[Any, Any]:
        """Return the windows and targets of these rows."""
        return self._days[np.arange(len(self))[rows][:, None] + np.arange(WINDOW)], self._answers[rows]


def stockcast(epochs: int, *, is_alone: bool = True) -> list[float]:
    """Windows per second of each epoch but the first: the program's own `fit` with its default head and batch."""
    from stockcast.models.backend import share_threads
    from stockcast.models.fit import fit
    from stockcast.models.heads import make_head

    share_threads(1)  # without effect in a worker, whose share the environment says
    history = fit(
        house_network("student_t"),
        Made(WINDOWS),
        Made(64),
        head=make_head("student_t"),
        settings=settings(epochs, is_alone=is_alone),
    )
    return [WINDOWS / epoch.seconds for epoch in history[1:]]


def stockcast_members(epochs: int) -> list[float]:
    """The same of two members side by side, in all: two workers as the program starts them."""
    from stockcast.models.backend import share_threads

    share_threads(2)
    epochs_of_each = 2 * epochs  # so that both are busy all the time
    code = f"import json, contenders; print(json.dumps(contenders.stockcast({epochs_of_each}, is_alone=False)))"
    workers = [subprocess.Popen([sys.executable, "-c", code], cwd=HERE, stdout=subprocess.PIPE) for _ in range(2)]
    each = [json.loads(worker.communicate()[0])[: epochs - 1] for worker in workers]
    return [sum(speeds) for speeds in zip(*each, strict=True)]


def house_network(head: str) -> Any:
    """The program's network at the common sizes."""
    from stockcast.models.build import build_network
    from stockcast.models.heads import make_head
    from stockcast.models.settings import NetworkSettings

    return build_network(
        NetworkSettings(cell="lstm", layers=LAYERS, dropout=0.2),
        head=make_head(head),
        window=WINDOW,
        features=FEATURES,
        horizon=HORIZON,
    )


def settings(epochs: int, *, batch: int = BATCH, is_alone: bool = False) -> Any:
    """How the program trains it, through all epochs."""
    from stockcast.models.settings import FitSettings

    return FitSettings(
        epochs=epochs,
        patience=epochs,
        batch_size=batch,
        learning_rate=1e-3,
        clip_norm=1.0,
        is_alone=is_alone,
    )


def tutorial_network() -> Any:
    """A network as tutorials build and compile it: everything that `compile` decides is left to it."""
    import keras

    network = keras.Sequential(
        [
            keras.Input((WINDOW, FEATURES)),
            keras.layers.LSTM(LAYERS[0], return_sequences=True),
            keras.layers.Dropout(0.2),
            keras.layers.LSTM(LAYERS[1]),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(HORIZON),
        ]
    )
    network.compile("adam", "mse")
    return network


def tutorial(epochs: int) -> list[float]:
    """Windows per second of a tutorial's script."""
    inputs, answers = examples()
    network = tutorial_network()
    return timed(epochs, lambda: network.fit(inputs, answers, batch_size=32, epochs=1, verbose=0))


def timed(epochs: int, epoch: Callable[[], Any]) -> list[float]:
    """Windows per second of every epoch but the first, which builds and traces."""
    speeds = []
    for _ in range(epochs):
        started = time.perf_counter()
        epoch()
        speeds.append(WINDOWS / (time.perf_counter() - started))
    return speeds[1:]


def pytorch(epochs: int, batch: int) -> list[float]:
    """Windows per second of a loop over `nn.LSTM` written by hand."""
    import torch
    from torch import nn

    inputs, answers = (torch.from_numpy(one) for one in examples())
    first, second = nn.LSTM(FEATURES, LAYERS[0], batch_first=True), nn.LSTM(LAYERS[0], LAYERS[1], batch_first=True)
    dropout, dense = nn.Dropout(0.2), nn.Linear(LAYERS[1], HORIZON)
    parts = nn.ModuleList([first, second, dense])
    optimizer = torch.optim.Adam(parts.parameters(), lr=1e-3)

    def epoch() -> None:
        order = torch.randperm(WINDOWS)
        for start in range(0, WINDOWS, batch):
            rows = order[start : start + batch]
            hidden = dropout(first(inputs[rows])[0])
            hidden = dropout(second(hidden)[0][:, -1])
            loss = nn.functional.mse_loss(dense(hidden), answers[rows])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(parts.parameters(), 1.0)
            optimizer.step()

    return timed(epochs, epoch)


def neuralforecast(epochs: int) -> list[float]:
    """Windows per second of neuralforecast's LSTM of two layers of 75 units, which make about as many products."""
    import pandas as pd
    from neuralforecast import NeuralForecast
    from neuralforecast.models import LSTM

    days = pd.DataFrame(
        {
            "unique_id": "made",
            "ds": pd.date_range("2000-01-01", periods=WINDOWS + WINDOW + HORIZON),
            "y": np.random.default_rng(0).standard_normal(WINDOWS + WINDOW + HORIZON),
        }
    )
    steps = WINDOWS // BATCH

    def epoch() -> None:
        model = LSTM(
            h=HORIZON, input_size=WINDOW, encoder_n_layers=2, encoder_hidden_size=75, encoder_dropout=0.2,
            max_steps=steps, windows_batch_size=BATCH, batch_size=1, enable_progress_bar=False, logger=False,
        )  # fmt: skip
        NeuralForecast([model], freq="D").fit(days)

    return timed(epochs, epoch)


def products(epochs: int, library: str) -> list[float]:
    """Windows per second if training were nothing but its matrix products at the shapes that occur, on all cores.

    A forward pass multiplies (batch, inputs + units) x (inputs + units, 4 units) once a day and layer, and training
    does three times that. TensorFlow's products run on one thread each of two processes, as those of its network do.
    """
    shapes = [(inputs + units, 4 * units) for inputs, units in zip((FEATURES, LAYERS[0]), LAYERS, strict=True)]
    random = np.random.default_rng(0)
    if library == "tensorflow":
        os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["TF_NUM_INTEROP_THREADS"] = "1"
        import tensorflow

        make, multiply = tensorflow.constant, tensorflow.matmul
    else:
        make, multiply = np.asarray, np.matmul
    speeds = []
    for _ in range(epochs):
        seconds = 0.0
        for rows, columns in shapes:
            left = make(random.standard_normal((BATCH, rows)).astype(np.float32))
            right = make(random.standard_normal((rows, columns)).astype(np.float32))
            started = time.perf_counter()
            for _ in range(1000):
                multiply(left, right)
            seconds += 3 * WINDOW * (time.perf_counter() - started) / 1000
        speeds.append(BATCH / seconds)
    return speeds


def two_of(epochs: int, call: str) -> list[float]:
    """What two processes make together of a contender, given as Python."""
    code = f"import json, contenders; print(json.dumps(contenders.{call}))"
    both = [subprocess.Popen([sys.executable, "-c", code], cwd=HERE, stdout=subprocess.PIPE) for _ in range(2)]
    return [sum(speeds) for speeds in zip(*(json.loads(one.communicate()[0]) for one in both), strict=True)]


def prices(first: int, last: int) -> tuple[Any, Any]:
    """Windows of the S&P 500's prices and the 50 closes after them, scaled as tutorials do; days of the first share."""
    import pandas as pd

    table = pd.read_csv(PRICES)[["Open", "High", "Low", "Close", "Volume"]].iloc[-5000:]
    table["Return"], table["Range"] = table["Close"].pct_change(), table["High"] / table["Low"]
    table["Mean"], table["Deviation"] = table["Close"].rolling(20).mean(), table["Close"].rolling(20).std()
    table = table.iloc[20:]
    scaled = ((table - table[:3500].min()) / (table[:3500].max() - table[:3500].min())).to_numpy(dtype=np.float32)
    origins = np.arange(first, last)
    close = scaled[:, 3]
    return scaled[origins[:, None] + np.arange(1 - WINDOW, 1)], close[origins[:, None] + np.arange(1, HORIZON + 1)]


TRAINING, VALIDATION = (WINDOW, 3450), (3500, 4200)


def tutorial_until_best(epochs: int) -> tuple[float, float]:
    """(best validation loss, seconds of training until it) of a tutorial's script, tracing included."""
    learnt, held = prices(*TRAINING), prices(*VALIDATION)
    network = tutorial_network()
    best, until, started = float("inf"), 0.0, time.perf_counter()
    for _ in range(epochs):
        loss = network.fit(*learnt, batch_size=32, epochs=1, validation_data=held, verbose=0).history["val_loss"][0]
        if loss < best:
            best, until = loss, time.perf_counter() - started
    return best, until


def stockcast_until(target: float, epochs: int) -> tuple[float, float]:
    """(validation loss, seconds until it is no worse than `target`) of `fit` on the same data, tracing included.

    Batch and learning rate are those of a config that does not name them.
    """
    from stockcast.models.backend import share_threads
    from stockcast.models.callbacks import Callbacks, EpochLog
    from stockcast.models.fit import fit
    from stockcast.models.heads import make_head

    share_threads(1)

    class Arrays:
        def __init__(self, first: int, last: int) -> None:
            self._inputs, self._answers = prices(first, last)

        def __len__(self) -> int:
            return len(self._answers)

        def inputs(self, rows: Any) -> Any:
            return self._inputs[rows]

        def targets(self, rows: Any) -> Any:
            return self._answers[rows]

    class Reached(Exception):
        pass

    learnt, held = Arrays(*TRAINING), Arrays(*VALIDATION)
    network = house_network("point")
    seen: list[EpochLog] = []
    started = time.perf_counter()

    def on_epoch_end(epoch: EpochLog) -> None:
        seen.append(epoch)
        if epoch.val_loss <= target:
            raise Reached

    try:
        fit(network, learnt, held, head=make_head("point"), settings=settings(epochs, batch=64),
            callbacks=Callbacks(on_epoch_end=on_epoch_end))  # fmt: skip
    except Reached:
        return seen[-1].val_loss, time.perf_counter() - started
    return min(epoch.val_loss for epoch in seen), float("inf")


def tutorial_predict(folder: Path) -> None:
    """Load a stored network and forecast the days after the last row, with a table and a picture, as scripts do."""
    import keras
    import matplotlib
    import pandas as pd

    matplotlib.use("Agg")
    from matplotlib import pyplot

    network = keras.models.load_model(folder / "tutorial.keras")
    window, _ = prices(4900, 4901)
    forecast = network.predict(window, verbose=0)[0]
    pd.DataFrame({"step": range(1, HORIZON + 1), "forecast": forecast}).to_csv(folder / "tutorial.csv", index=False)
    pyplot.plot(window[0, :, 3])
    pyplot.plot(range(WINDOW, WINDOW + HORIZON), forecast)
    pyplot.savefig(folder / "tutorial.png")


def tutorial_store(folder: Path) -> None:
    """Store an untrained network for `tutorial_predict`."""
    tutorial_network().save(folder / "tutorial.keras")


def evaluation(origins: int) -> dict[str, float]:
    """Seconds of the network's part of an evaluation of `origins` origins x 50 steps, beside a loop of `predict`.

    A direct network answers all steps at once; a recursive one takes 50 passes, all origins side by side; a script in
    a loop calls `predict` once for an origin and step, of which 100 calls are made and the rest reckoned.
    """
    import keras

    from stockcast.models.inference import predict_recursive
    from stockcast.models.onnx.export import export_onnx
    from stockcast.models.onnx.session import load_onnx

    found = {}
    random = np.random.default_rng(0)
    scratch = Path(os.environ["SCRATCH"])
    direct = house_network("student_t")
    export_onnx(direct, scratch / "direct.onnx")
    windows = random.standard_normal((origins, WINDOW, FEATURES)).astype(np.float32)
    network = load_onnx(scratch / "direct.onnx")
    started = time.perf_counter()
    network(windows)
    found["direct"] = time.perf_counter() - started

    inputs = keras.Input((WINDOW, 1))
    hidden = keras.layers.LSTM(LAYERS[0], return_sequences=True)(inputs)
    hidden = keras.layers.Dense(1)(keras.layers.LSTM(LAYERS[1])(hidden))
    recursive = keras.Model(inputs, keras.layers.Reshape((1, 1))(hidden))
    export_onnx(recursive, scratch / "recursive.onnx")
    network = load_onnx(scratch / "recursive.onnx")
    started = time.perf_counter()
    predict_recursive(network, windows[:, :, :1], steps=HORIZON)
    found["recursive"] = time.perf_counter() - started

    recursive.predict(windows[:1, :, :1], verbose=0)
    started = time.perf_counter()
    for _ in range(100):
        recursive.predict(windows[:1, :, :1], verbose=0)
    found["loop"] = (time.perf_counter() - started) / 100 * origins * HORIZON
    return found
