"""Scores and significance tests -> a verdict in sentences, also where the network loses."""
