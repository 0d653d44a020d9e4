"""Bands that keep their nominal coverage on days that neither trained the network nor stopped its training."""
