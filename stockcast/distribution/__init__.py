"""The distribution behind a forecast's quantiles: any quantile, chances of prices, sample paths."""
