"""From a CSV of prices to numbers a network can eat: read, date, describe, split, scale, window."""
