"""Where data, models and evaluation meet: a series ready for a network, and a loaded run that forecasts it."""
