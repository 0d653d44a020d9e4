"""Weights go back into the network that a config builds; a file from anybody is refused before its numbers are read."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from made_networks import make_network

from stockcast.errors import RunError
from stockcast.models import weights
from stockcast.models.build import average
from stockcast.models.heads import make_head
from stockcast.models.weights import load_weights

SIZES = {"layers": (4, 3), "dropout": 0.1, "skip_connection": True, "output_l2": 0.0, "head": make_head("student_t")}
WINDOWS = np.random.default_rng(0).normal(size=(5, 6, 2)).astype(np.float32)


def build(seed: int = 0, **changed):
    return make_network(**{"cell": "lstm", **SIZES, "window": 6, "features": 2, "horizon": 3, "seed": seed, **changed})


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    build().save_weights(tmp_path / "model.weights.h5")
    return tmp_path / "model.weights.h5"


KERNEL = "layers/lstm/cell/vars/0"


def test_stored_weights_make_the_same_network_again(stored: Path) -> None:
    network = build(seed=1)
    load_weights(network, stored)
    np.testing.assert_array_equal(network.predict_on_batch(WINDOWS), build().predict_on_batch(WINDOWS))


@pytest.mark.slow
def test_an_average_of_trained_members_comes_back_and_their_optimizers_are_left_out(tmp_path: Path) -> None:
    members = [build(seed=seed) for seed in (0, 1)]
    for member in members:
        member.compile(optimizer="adam", loss="mse")
        member.fit(WINDOWS, np.zeros((5, 3, 3)), verbose=0)
    trained = average(members)
    trained.save_weights(tmp_path / "two.weights.h5")
    again = average([build(seed=seed) for seed in (5, 6)])
    load_weights(again, tmp_path / "two.weights.h5")
    np.testing.assert_array_equal(again.predict_on_batch(WINDOWS), trained.predict_on_batch(WINDOWS))


def link(path: Path, made) -> None:
    with h5py.File(path, "a") as file:
        del file[KERNEL]
        file[KERNEL] = made


def external_link(path: Path) -> None:
    build().save_weights(path.with_name("other.weights.h5"))
    link(path, h5py.ExternalLink(str(path.with_name("other.weights.h5")), KERNEL))


def soft_link(path: Path) -> None:
    link(path, h5py.SoftLink("/layers/lstm_1/cell/vars/0"))


def stranger(**settings):
    """The first kernel replaced by an array of the same shape that is stored in another way."""

    def make(path: Path) -> None:
        with h5py.File(path, "a") as file:
            shape = settings.get("shape", file[KERNEL].shape)
            del file[KERNEL]
            file.create_dataset(KERNEL, **{"dtype": "<f4", **settings, "shape": shape})

    return make


def external_data(path: Path) -> None:
    path.with_name("secret").write_bytes(bytes(4 * 2 * 16))
    stranger(external=[(str(path.with_name("secret")), 0, 4 * 2 * 16)])(path)


def virtual(path: Path) -> None:
    with h5py.File(path, "a") as file:
        layout = h5py.VirtualLayout(shape=file[KERNEL].shape, dtype="<f4")
        layout[:] = h5py.VirtualSource(str(path.with_name("other.h5")), "x", shape=file[KERNEL].shape)
        del file[KERNEL]
        file.create_virtual_dataset(KERNEL, layout)


def circle(path: Path) -> None:
    with h5py.File(path, "a") as file:
        file["layers/again"] = file["layers"]


def missing(path: Path) -> None:
    with h5py.File(path, "a") as file:
        del file["layers/dense"]


def renamed_type(path: Path) -> None:
    with h5py.File(path, "a") as file:
        file["named"] = np.dtype("f4")


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (external_link, "a link to somewhere else"),
        (soft_link, "a link to somewhere else"),
        (external_data, "in another file or in pieces"),
        (virtual, "in another file or in pieces"),
        (stranger(chunks=(1, 1), compression="gzip"), "in another file or in pieces"),
        (stranger(shape=(10**6, 10**6)), r"shape \(1000000, 1000000\), and this run's config builds"),
        (stranger(dtype="<f8"), "float64"),
        (circle, "nested deeper"),
        (missing, "dense/vars/0 holds nothing"),
        (renamed_type, "neither a group nor an array"),
        (lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(64)), "damaged"),
        (lambda path: path.write_bytes(b""), "damaged"),
    ],
)
def test_what_training_never_writes_is_refused_and_the_network_stays_as_it_is(harm, words, stored: Path) -> None:
    harm(stored)
    network = build(seed=1)
    with pytest.raises(RunError, match=words) as refused:
        load_weights(network, stored)
    assert refused.value.file == str(stored)
    np.testing.assert_array_equal(network.predict_on_batch(WINDOWS), build(seed=1).predict_on_batch(WINDOWS))


def test_weights_of_a_network_of_other_sizes_are_refused(stored: Path) -> None:
    with pytest.raises(RunError, match=r"\(4, 12\).*\(5, 12\)"):
        load_weights(build(layers=(5, 3)), stored)


def test_a_file_of_endless_objects_is_not_walked_to_its_end(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_MAX_OBJECTS", 10**3)
    with h5py.File(stored, "a") as file:
        for number in range(1001):
            file.create_group(f"more/{number}")
    with pytest.raises(RunError, match="1,000 objects"):
        load_weights(build(), stored)
