"""Largest sizes of a network and of the files of a run; the latter may come from anybody and are checked when read."""

MAX_PARAMETERS = 50_000_000
"""Of all networks of a run together; the default config has 0.15 million. More would exhaust memory before training."""

MAX_NETWORK_BYTES = 4 * MAX_PARAMETERS + 16_000_000
"""Of a network's file: 4 bytes per parameter, and 16 MB for the graph around them."""

MAX_TEXT_BYTES = 8_000_000
"""Of a JSON or text file of a run; a thousand series with their notes take 2 MB."""
