"""An append-only record of forecasts, in which no line can be changed, moved or left out unseen."""
