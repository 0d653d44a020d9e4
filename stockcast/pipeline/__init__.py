"""READ FIRST: one module for each command, which reads as the sentence that describes it.

CSV -> Prices -> features -> split -> scaler -> windows -> network -> Forecast -> scores -> verdict -> plots -> run
"""
