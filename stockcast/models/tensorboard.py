"""The losses of a training as event files, which TensorBoard draws while they grow."""

from pathlib import Path
from typing import Any

from stockcast.models.callbacks import EpochLog


class TensorBoardWriter:
    """Training and validation loss of each member; a resumed training continues its curves.

    Written by TensorFlow alone: `keras.callbacks.TensorBoard` needs TensorBoard installed, and only viewing does.
    """

    def __init__(self, folder: Path) -> None:
        """Nothing is written before the first epoch."""
        self._folder = folder
        self._writers: dict[str, Any] = {}

    def write(self, epoch: EpochLog) -> None:
        """Add an epoch to the curves, and flush it to the disk."""
        import tensorflow as tf

        scalars = tf.compat.v1.SummaryMetadata(plugin_data={"plugin_name": "scalars"})
        for curve, loss in (("training", epoch.loss), ("validation", epoch.val_loss)):
            name = f"member-{epoch.member}/{curve}"
            if name not in self._writers:
                self._writers[name] = tf.summary.create_file_writer(str(self._folder / name))
            with self._writers[name].as_default():
                tf.summary.write("loss", tf.constant(loss, tf.float32), step=epoch.epoch, metadata=scalars)
            self._writers[name].flush()
