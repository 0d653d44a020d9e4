from pathlib import Path

import pytest

from stockcast.models.callbacks import EpochLog
from stockcast.models.tensorboard import TensorBoardWriter


def curves(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """What the event files of each curve hold, (step, value) in the order of their writing."""
    import tensorflow as tf

    curves: dict[str, list[tuple[int, float]]] = {}
    for path in sorted(folder.rglob("events.out.tfevents.*"), key=lambda path: path.stat().st_mtime_ns):
        points = curves.setdefault(path.parent.relative_to(folder).as_posix(), [])
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                assert value.tag == "loss"
                assert value.metadata.plugin_data.plugin_name in ("scalars", "")  # only in a file's first event
                points.append((event.step, float(tf.make_ndarray(value.tensor))))
    return curves


def test_every_epoch_is_a_point_of_its_members_curves_at_once(tmp_path: Path) -> None:
    writer = TensorBoardWriter(tmp_path / "tensorboard")
    assert not (tmp_path / "tensorboard").exists()
    writer.write(EpochLog(1, 0.5, 0.75, seconds=1))
    assert curves(tmp_path / "tensorboard") == {"member-1/training": [(1, 0.5)], "member-1/validation": [(1, 0.75)]}
    writer.write(EpochLog(2, 0.25, 0.5, seconds=1))
    writer.write(EpochLog(1, 2.0, 4.0, seconds=1, member=2))
    assert curves(tmp_path / "tensorboard") == {
        "member-1/training": [(1, 0.5), (2, 0.25)],
        "member-1/validation": [(1, 0.75), (2, 0.5)],
        "member-2/training": [(1, 2.0)],
        "member-2/validation": [(1, 4.0)],
    }


def test_a_resumed_training_adds_to_the_curves_of_the_first(tmp_path: Path) -> None:
    for epoch, loss in ((1, 0.5), (2, 0.25)):
        TensorBoardWriter(tmp_path).write(EpochLog(epoch, loss, loss, seconds=1))
    assert curves(tmp_path)["member-1/validation"] == [(1, pytest.approx(0.5)), (2, pytest.approx(0.25))]
