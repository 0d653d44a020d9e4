"""A price file in any vendor's spelling -> cells under standard names, dates and numbers."""
