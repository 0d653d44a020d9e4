"""The errors stockcast raises on purpose, each a message a user can act on.

    StockcastError             printed as one message, exit code 1, no traceback
    ├── ConfigError            a YAML key or a --set is wrong
    ├── DataError              a price file cannot be used as it stands
    │   ├── MissingColumns     ... a column that the config asks for is not in it
    │   └── NotEnoughDays      ... it is too short for the window, the horizon and the splits
    ├── TrainingError          the loss left the numbers
    ├── ExportError            a network has no ONNX form; it forecasts with Keras
    ├── RivalError             a rival cannot answer; the others are scored without it
    └── RunError               a run is missing, unfinished, damaged, or cannot be written
        └── NoOnnx             ... it has no model.onnx that ONNX Runtime opens; it forecasts with Keras

Every message says what was found, what is needed and what to do. Anything else that is raised is a bug of ours and
keeps its traceback.
"""


class StockcastError(Exception):
    """What a user can put right; the message says how."""


class ConfigError(StockcastError):
    """A config file or an override is wrong; the message names file, line, key and bound."""


class DataError(StockcastError):
    """A price file cannot be used as it stands; the message names file, line, column and value."""


class MissingColumns(DataError):
    """The price file lacks a column that the config asks for."""


class NotEnoughDays(DataError):
    """The price file is too short for what the config asks for."""


class TrainingError(StockcastError):
    """Training cannot go on; the message says what to lower."""


class ExportError(StockcastError):
    """A network cannot be written as ONNX; the message is a reason. It forecasts with Keras then."""


class RunError(StockcastError):
    """A run is missing, unfinished or damaged, or its directory cannot be written."""


class NoOnnx(RunError):
    """A run has no `model.onnx` that ONNX Runtime can open; the message is a reason. It forecasts with Keras then."""


class RivalError(StockcastError):
    """A rival cannot answer; the message says why. Its name is told, and the others are scored without it."""
