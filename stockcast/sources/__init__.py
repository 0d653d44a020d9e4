"""Prices from the web -> price files and a manifest; the only folder that opens connections."""
