"""Which of many configs is best on folds of the past, and how much of its lead is luck."""
