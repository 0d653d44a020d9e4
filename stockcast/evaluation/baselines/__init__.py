"""The simplest forecasts that a network is compared with, and the best that econometrics has."""
