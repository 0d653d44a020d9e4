"""How good was it, against whom, and how sure are we: rivals, bands, scores, tests, verdict."""
