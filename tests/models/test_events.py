from pathlib import Path

import pytest

from stockcast.models.events import EventFiles
from stockcast.models.training import Epoch


def curves(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """What the event files of each curve hold, (step, value) in the order of their writing."""
    import tensorflow as tf

    found: dict[str, list[tuple[int, float]]] = {}
    for path in sorted(folder.rglob("events.out.tfevents.*"), key=lambda path: path.stat().st_mtime_ns):
        points = found.setdefault(path.parent.relative_to(folder).as_posix(), [])
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                assert value.tag == "loss"
                assert value.metadata.plugin_data.plugin_name in ("scalars", "")  # told once a file
                points.append((event.step, float(tf.make_ndarray(value.tensor))))
    return found


def test_every_epoch_is_a_point_of_its_members_curves_at_once(tmp_path: Path) -> None:
    events = EventFiles(tmp_path / "tensorboard")
    assert not (tmp_path / "tensorboard").exists()
    events.write(Epoch(1, 0.5, 0.75, seconds=1))
    assert curves(tmp_path / "tensorboard") == {"member-1/training": [(1, 0.5)], "member-1/validation": [(1, 0.75)]}
    events.write(Epoch(2, 0.25, 0.5, seconds=1))
    events.write(Epoch(1, 2.0, 4.0, seconds=1, member=2))
    assert curves(tmp_path / "tensorboard") == {
        "member-1/training": [(1, 0.5), (2, 0.25)],
        "member-1/validation": [(1, 0.75), (2, 0.5)],
        "member-2/training": [(1, 2.0)],
        "member-2/validation": [(1, 4.0)],
    }


def test_a_training_taken_up_again_adds_to_the_curves_of_the_first(tmp_path: Path) -> None:
    for epoch, loss in ((1, 0.5), (2, 0.25)):
        EventFiles(tmp_path).write(Epoch(epoch, loss, loss, seconds=1))
    assert curves(tmp_path)["member-1/validation"] == [(1, pytest.approx(0.5)), (2, pytest.approx(0.25))]
