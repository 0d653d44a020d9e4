import curl_cffi.requests  # noqa: F401, I001  # before TensorFlow, whose library for TLS it would find instead
import ctypes
import gc
import os
import resource
import sys
from collections.abc import Callable, Iterator
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from loopback import only_loopback
from made import TINY, make_bars

from stockcast.models.backend import forget_networks
from stockcast.runs import layout

if TYPE_CHECKING:
    from browser import Browser


class _WithoutJax(MetaPathFinder):
    """Hides jax from two modules that load it where it is installed, and that no test uses.

    It would be 100 MB of each test process, and is none of a user's, who has no jax. Everything else finds it.
    """

    _LOADERS = ("tensorflow.lite.python.util", "keras.src.callbacks.orbax_checkpoint")

    def find_spec(self, name: str, path: Any, target: Any = None) -> None:
        if name != "jax" or os.environ.get("KERAS_BACKEND") == "jax":
            return
        loaders = [sys.modules.get(loader) for loader in self._LOADERS]
        if any(getattr(getattr(loader, "__spec__", None), "_initializing", False) for loader in loaders):
            raise ModuleNotFoundError("jax is hidden", name=name)


sys.meta_path.insert(0, _WithoutJax())

os.environ.pop("STOCKCAST_RUNS", None)  # a folder that somebody set for real work is none of the tests' business
os.environ["STOCKCAST_CACHE"] = "off"  # the user's stays as it is; tests of the cache have one of their own

_PEAKS: dict[str, float] = {}


_GROWTH = 32  # MB: forgetting takes a third of a second, a tiny network a few MB
_after_last: list[float] = []


def _memory() -> float:
    """MB that this process holds now, where the system says so; else its peak."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20
    except OSError:
        return _peak()


def _peak() -> float:
    """The most MB that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 2**20


_freeze = gc.freeze


@pytest.fixture(autouse=True, scope="session")
def _no_network() -> Iterator[None]:
    """No test reaches the network, see loopback.py."""
    with only_loopback():
        yield


@pytest.fixture(autouse=True, scope="session")
def _without_the_run_that_ships(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The tests are of runs of one's own; test_shipped.py puts a run of its own in the place of the one that ships."""
    empty = tmp_path_factory.mktemp("package") / layout.PRETRAINED
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "pretrained_folder", lambda: empty)
        yield


@pytest.fixture(autouse=True, scope="session")
def _keep_nothing_for_good() -> Iterator[None]:
    """A command freezes what is left when it ends; in a process of many commands that would never be freed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gc, "freeze", lambda: None)
        yield


@pytest.fixture(autouse=True)
def _forget_networks() -> Iterator[None]:
    """Keras keeps the graph of every network that was ever built: hundreds of them are gigabytes."""
    yield
    if "keras" not in sys.modules:
        return
    if not _after_last:
        gc.collect()
        _freeze()  # what the libraries made on import is not looked through again, and stays
    elif _memory() < _after_last[-1] + _GROWTH:
        return
    forget_networks()
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)  # what was freed goes back to the system
    _after_last[:] = [_memory()]


@pytest.fixture(scope="module")
def replay_trainings() -> Iterator[None]:
    """Train once what several tests of a file train, see replayed.py; for tests of what is done with a network."""
    from replayed import replaying

    with replaying():
        yield


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Browser]":
    """One browser for all tests of a process; they are skipped where there is none."""
    from browser import ABSENT, browsing

    if ABSENT:
        pytest.skip(ABSENT)
    with browsing(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def write_tiny(tmp_path: Path) -> Callable[..., Path]:
    """Write prices.csv and tiny.yaml side by side into a folder; return the config's path."""

    def write(bars: pd.DataFrame | None = None, *, folder: str = "made", config: str = TINY) -> Path:
        target = tmp_path / folder
        target.mkdir(exist_ok=True)
        (make_bars() if bars is None else bars).to_csv(target / "prices.csv", index=False)
        (target / "tiny.yaml").write_text(config)
        return target / "tiny.yaml"

    return write


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Note the most memory that this process held; a worker of xdist hands it to the process that started it."""
    peak = _peak()
    output = getattr(session.config, "workeroutput", None)
    if output is None:
        _PEAKS["this process"] = peak
    else:
        output["peak"] = peak


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    output = getattr(node, "workeroutput", {})
    if "peak" in output:
        _PEAKS[node.gateway.id] = output["peak"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    peaks = ", ".join(f"{name} {peak:,.0f} MB" for name, peak in sorted(_PEAKS.items()))
    terminalreporter.write_line(f"most memory held: {peaks}")
