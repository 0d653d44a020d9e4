"""Anybody's forecasts: read in whatever form they are written, matched with prices, looked through for what is odd."""
