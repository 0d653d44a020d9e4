"""From a CSV of prices to the numbers a network is trained on: read, date, describe, split, scale, window."""
