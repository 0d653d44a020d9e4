"""Scores of forecasts, those of the baselines, calibrated bands, and what the differences prove."""
