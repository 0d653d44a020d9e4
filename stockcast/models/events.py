"""The losses of a training as event files, which TensorBoard draws while they grow."""

from pathlib import Path
from typing import Any

from stockcast.models.training import Epoch


class EventFiles:
    """A curve for each member's training and validation loss; a training that is taken up again adds to its own.

    Written with what TensorFlow has of its own: `keras.callbacks.TensorBoard` needs TensorBoard installed, and only who
    looks at the curves needs that.
    """

    def __init__(self, folder: Path) -> None:
        """Nothing is written before the first epoch."""
        self._folder = folder
        self._writers: dict[str, Any] = {}

    def write(self, epoch: Epoch) -> None:
        """Add an epoch to the curves, on the disk at once."""
        import tensorflow as tf

        scalars = tf.compat.v1.SummaryMetadata(plugin_data={"plugin_name": "scalars"})
        for curve, loss in (("training", epoch.loss), ("validation", epoch.val_loss)):
            name = f"member-{epoch.member}/{curve}"
            if name not in self._writers:
                self._writers[name] = tf.summary.create_file_writer(str(self._folder / name))
            with self._writers[name].as_default():
                tf.summary.write("loss", tf.constant(loss, tf.float32), step=epoch.epoch, metadata=scalars)
            self._writers[name].flush()
