import numpy as np
import pytest

from stockcast.data.scaler import Scaler
from stockcast.data.target import TargetTransform, fit_target_transform

RNG = np.random.default_rng(11)
CLOSES = 100 * np.exp(np.cumsum(RNG.normal(0.001, 0.02, 300)))
ORIGINS = np.array([10, 57, 130, 249])
KINDS = ("standard", "minmax", "robust", "none")


def target_of(transform: str, *, center: float, scale: float) -> TargetTransform:
    return TargetTransform(transform, Scaler(np.array([center]), np.array([scale]), np.array([center])))


def test_the_target_of_a_log_return_is_in_deviations_beyond_the_mean_drift():
    closes = np.exp([0.0, 0.1, 0.7])  # cumulative returns 0.1 and 0.7 since day 0
    target = target_of("log_return", center=0.05, scale=0.5)

    targets = target.transform(closes, np.array([0]), horizon=2)

    # one day: (0.1 - 0.05) / 0.5 = 0.1; two: (0.7 - 2 x 0.05) / (0.5 x 1.4142136) = 0.6 / 0.7071068 = 0.8485281
    assert targets == pytest.approx(np.array([[0.1, 0.8485281374]]), abs=1e-9)


def test_the_target_of_a_price_is_on_the_scale_of_the_training_days():
    target = target_of("price", center=100, scale=20)

    targets = target.transform(np.array([90.0, 100.0, 120.0, 70.0]), np.array([0, 1]), horizon=2)

    assert targets.tolist() == [[0.0, 1.0], [1.0, -1.5]]  # (100 - 100) / 20, (120 - 100) / 20, (70 - 100) / 20


def test_the_unit_is_of_like_size_at_every_horizon():
    closes = np.exp(np.cumsum(RNG.normal(0.0, 0.02, 60_000)))
    target = fit_target_transform([closes], transform="log_return", kind="standard")

    spread = target.transform(closes, np.arange(59_900), horizon=50)[:, [0, 4, 49]].std(axis=0)

    assert spread == pytest.approx([1, 1, 1], abs=0.1)  # a random walk's deviation grows with the root of the days


def test_the_target_of_steady_growth_is_zero_at_every_horizon():
    closes = np.exp(0.01 * np.arange(100))
    targets = target_of("log_return", center=0.01, scale=0.02).transform(closes, np.array([0, 40]), horizon=50)

    assert np.abs(targets).max() < 1e-12


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("transform", ["log_return", "price"])
def test_targets_turn_back_into_the_prices_they_came_from(transform, kind):
    target = fit_target_transform([CLOSES[:200]], transform=transform, kind=kind)
    targets = target.transform(CLOSES, ORIGINS, horizon=50)

    prices = target.inverse_transform(targets[:, :, None], CLOSES[ORIGINS])

    later = [[[CLOSES[origin + step]] for step in range(1, 51)] for origin in ORIGINS]
    np.testing.assert_allclose(prices, later, rtol=1e-10)


def test_an_output_of_one_deviation_is_a_price_by_hand():
    target = target_of("log_return", center=0.0, scale=0.1)

    prices = target.inverse_transform(np.ones((1, 4, 1)), np.array([200.0]))

    # after four days one deviation is 0.1 x 2: 200 x e^0.2 = 244.2805516; after one it is 200 x e^0.1 = 221.0341836
    assert prices[0, [0, 3], 0] == pytest.approx([221.0341836, 244.2805516], abs=1e-6)


def test_every_origin_starts_from_its_own_last_close():
    target = target_of("log_return", center=0.0, scale=0.1)

    prices = target.inverse_transform(np.zeros((3, 2, 1)), np.array([1.0, 20.0, 300.0]))

    assert prices[:, 1, 0] == pytest.approx([1.0, 20.0, 300.0])


@pytest.mark.parametrize("transform", ["log_return", "price"])
def test_higher_outputs_are_never_lower_prices(transform):
    target = fit_target_transform([CLOSES[:200]], transform=transform, kind="standard")
    levels = np.sort(RNG.normal(0, 30, (4, 50, 9)), axis=-1)

    assert (np.diff(target.inverse_transform(levels, CLOSES[ORIGINS]), axis=-1) >= 0).all()


@pytest.mark.parametrize("transform", ["log_return", "price"])
@pytest.mark.parametrize("output", [-1e30, -1e3, 1e3, 1e30])
def test_a_network_far_astray_still_gives_a_finite_price_above_zero(transform, output):
    target = fit_target_transform([CLOSES[:200]], transform=transform, kind="standard")

    prices = target.inverse_transform(np.full((4, 50, 1), output), CLOSES[ORIGINS])

    assert np.isfinite(prices).all()
    assert (prices > 0).all()


def test_daily_outputs_of_1_2_and_3_add_up_along_the_days():
    outputs = target_of("log_return", center=0.01, scale=0.2).accumulate(np.array([[[1.0], [2.0], [3.0]]]))

    # 1; (1 + 2) / sqrt 2; (1 + 2 + 3) / sqrt 3
    assert outputs == pytest.approx(np.array([[[1.0], [2.1213203436], [3.4641016151]]]), abs=1e-9)


def test_daily_prices_are_already_the_outputs_along_the_days():
    daily = np.array([[[1.0, 9.0], [2.0, 8.0], [3.0, 7.0]]])

    assert target_of("price", center=100, scale=20).accumulate(daily).tolist() == daily.tolist()


@pytest.mark.parametrize("transform", ["log_return", "price"])
def test_the_right_daily_outputs_lead_along_the_days_to_the_right_prices(transform):
    target = fit_target_transform([CLOSES[:200]], transform=transform, kind="standard")
    origin = 100
    daily = np.array([[target.transform(CLOSES, np.array([origin + day]), horizon=1)[0, 0] for day in range(20)]])

    prices = target.inverse_transform(target.accumulate(daily[:, :, None]), CLOSES[[origin]])

    np.testing.assert_allclose(prices[0, :, 0], CLOSES[101:121], rtol=1e-10)


def test_the_unit_of_log_returns_is_fitted_on_daily_returns():
    closes = np.exp(np.cumsum([0.0, 0.1, 0.3, 0.1, 0.3]))

    target = fit_target_transform([closes], transform="log_return", kind="standard")

    assert target.scaler.center == pytest.approx([0.2])  # returns 0.1, 0.3, 0.1, 0.3: mean 0.2, deviation 0.1
    assert target.scaler.scale == pytest.approx([0.1])


def test_the_unit_of_prices_is_fitted_on_the_closes():
    target = fit_target_transform([np.array([10.0, 30.0])], transform="price", kind="minmax")

    assert (target.scaler.center.tolist(), target.scaler.scale.tolist()) == ([10.0], [20.0])


def test_closes_that_never_move_have_a_unit_all_the_same():
    target = fit_target_transform([np.full(50, 10.0)], transform="log_return", kind="standard")

    assert target.transform(np.full(60, 10.0), np.array([20]), horizon=3).tolist() == [[0.0, 0.0, 0.0]]


def test_the_unit_of_returns_in_volatility_is_fitted_on_returns_over_the_volatility_before_them():
    # Thirty returns of 0.02 and 0.04 in turn, volatility 0.02 throughout: ratios of 1 and 2, mean 1.5, deviation 0.5.
    closes = np.exp(np.cumsum([0.0, *(0.02, 0.04) * 15]))
    target = fit_target_transform([closes], transform="log_return", kind="standard", volatilities=[np.full(31, 0.02)])

    assert target.scaler.center == pytest.approx([1.5])
    assert target.scaler.scale == pytest.approx([0.5])


def test_the_first_days_of_a_series_whose_volatility_is_not_yet_known_do_not_set_the_unit():
    closes = np.exp(np.cumsum([0.0, *(0.02, 0.04) * 15]))
    volatility = np.full(31, 0.02)
    volatility[0] = 1e-4  # a first day has no return to know it by

    target = fit_target_transform([closes], transform="log_return", kind="standard", volatilities=[volatility])
    assert target.scaler.scale == pytest.approx([0.5])


def test_several_series_share_one_unit():
    # Ratios of 1 in one series and of 3 in the other, as many of each: mean 2, deviation 1.
    steady = [np.exp(0.01 * np.arange(31)), np.exp(0.06 * np.arange(31))]
    target = fit_target_transform(
        steady, transform="log_return", kind="standard", volatilities=[np.full(31, 0.01), np.full(31, 0.02)]
    )
    assert target.scaler.center == pytest.approx([2.0])
    assert target.scaler.scale == pytest.approx([1.0])


def test_a_return_of_twice_the_days_volatility_has_a_target_of_two():
    target = TargetTransform("log_return", Scaler(np.array([0.0]), np.array([1.0]), np.array([0.0])))
    closes = np.array([100.0, 100.0 * np.exp(0.06)])

    targets = target.transform(closes, np.array([0]), horizon=1, volatility=np.array([0.03, 0.01]))
    assert targets == pytest.approx(np.array([[2.0]]))
    prices = target.inverse_transform(targets[:, :, None], closes[:1], np.array([0.03]))
    assert prices == pytest.approx(closes[1].reshape(1, 1, 1))


def test_a_stock_that_stood_still_and_then_moved_does_not_set_the_unit_of_all():
    closes = np.exp(np.cumsum([0.0, *(0.02, 0.04) * 500]))
    stale = np.concatenate([np.full(40, 10.0), [11.0]])  # 0.095 over a volatility of 0.0001 is 950 deviations
    target = fit_target_transform(
        [closes, stale], transform="log_return", kind="standard", volatilities=[np.full(1001, 0.02), np.full(41, 1e-4)]
    )
    assert target.scaler.scale == pytest.approx([0.5], rel=0.3)


# --- Several columns --------------------------------------------------------------------------------------------------

BAR = ("Open", "Close")


def test_the_prices_of_several_columns_have_targets_each_on_its_own_scale():
    bars = np.array([[90.0, 5.0], [100.0, 6.0], [120.0, 4.0]])
    target = TargetTransform("price", Scaler(np.array([100.0, 5.0]), np.array([20.0, 0.5]), np.zeros(2)), BAR)

    targets = target.transform(bars, np.array([0]), horizon=2)

    # (100 - 100) / 20, (6 - 5) / 0.5; then (120 - 100) / 20, (4 - 5) / 0.5
    assert targets.tolist() == [[[0.0, 2.0], [1.0, -2.0]]]


def test_the_log_returns_of_several_columns_are_all_against_the_last_close():
    # Opens 0.1 above and closes 0.3 above the close before, in logs; then 0.2 and 0.4 above that.
    bars = np.exp([[7.0, 0.0], [0.1, 0.3], [0.5, 0.7]])
    target = TargetTransform("log_return", Scaler(np.array([0.05, 0.2]), np.array([0.03, 0.04]), np.zeros(2)), BAR)

    targets = target.transform(bars, np.array([0]), horizon=2)

    # Open, one day: (0.1 - 0.05) / 0.03 = 5/3; Close: (0.3 - 0.2) / 0.04 = 2.5. Two days hold one day of the Close and
    # then one of the column: Open (0.5 - 0.2 - 0.05) / sqrt(0.04^2 + 0.03^2) = 0.25 / 0.05 = 5;
    # Close (0.7 - 0.4) / (0.04 x 1.4142136) = 5.3033009
    assert targets == pytest.approx(np.array([[[5 / 3, 2.5], [5.0, 5.3033008589]]]), abs=1e-9)


@pytest.mark.parametrize("volatility", [None, np.linspace(0.01, 0.03, 300)])
@pytest.mark.parametrize("transform", ["log_return", "price"])
@pytest.mark.parametrize("columns", [("Open", "High", "Low", "Close"), ("Close", "Low", "Open", "High")])
def test_the_close_among_several_columns_has_the_targets_that_it_has_alone(columns, transform, volatility):
    bars = bars_of(columns)
    volatilities = None if volatility is None else [volatility[:200]]
    together = fit_target_transform(
        [bars[:200]], transform=transform, kind="standard", volatilities=volatilities, columns=columns
    )
    alone = fit_target_transform([CLOSES[:200]], transform=transform, kind="standard", volatilities=volatilities)
    place = columns.index("Close")

    targets = together.transform(bars, ORIGINS, horizon=50, volatility=volatility)
    only = alone.transform(CLOSES, ORIGINS, horizon=50, volatility=volatility)
    np.testing.assert_allclose(targets[..., place], only, rtol=0, atol=1e-12)

    last, now = CLOSES[ORIGINS], None if volatility is None else volatility[ORIGINS]
    prices = alone.inverse_transform(only[..., None], last, now)[..., 0]
    levels = together.of_main().inverse_transform(targets[..., [place, place]], last, now)
    for same in (levels[..., 0], levels[..., 1], together.inverse_transform(targets, last, now)[..., place]):
        np.testing.assert_allclose(same, prices, rtol=1e-12)


@pytest.mark.parametrize("volatility", [None, np.linspace(0.01, 0.03, 300)])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("transform", ["log_return", "price"])
def test_targets_of_several_columns_turn_back_into_each_columns_prices(transform, kind, volatility):
    columns = ("Low", "Close", "High", "Open")
    bars = bars_of(columns)
    volatilities = None if volatility is None else [volatility[:200]]
    target = fit_target_transform(
        [bars[:200]], transform=transform, kind=kind, volatilities=volatilities, columns=columns
    )

    targets = target.transform(bars, ORIGINS, horizon=50, volatility=volatility)
    prices = target.inverse_transform(targets, CLOSES[ORIGINS], None if volatility is None else volatility[ORIGINS])

    later = [[bars[origin + step] for step in range(1, 51)] for origin in ORIGINS]
    np.testing.assert_allclose(prices, later, rtol=1e-10)


def test_each_columns_scale_is_that_of_its_own_training_days():
    bars = np.stack([np.exp([9.0, 0.1, 0.3, 0.3]), np.exp([0.0, 0.2, 0.2, 0.2])], axis=1)

    prices = fit_target_transform([bars], transform="price", kind="minmax", columns=BAR)
    returns = fit_target_transform([bars], transform="log_return", kind="standard", columns=BAR)

    assert prices.scaler.center == pytest.approx(np.exp([0.1, 0.0]))
    # Opens against the close before: 0.1, 0.1, 0.1; the first day's has none. Closes: 0.2, 0, 0, deviation 0.0942809.
    assert returns.scaler.center == pytest.approx([0.1, 0.2 / 3])
    assert returns.scaler.scale[1] == pytest.approx(0.0942809042)


def bars_of(columns: tuple[str, ...]) -> np.ndarray:
    """Bars around `CLOSES`, another distance from it in every column."""
    shifts = {"Open": -0.004, "High": 0.02, "Low": -0.03, "Close": 0.0}
    noise = np.random.default_rng(3).normal(0, 0.001, (300, len(columns)))
    noise[:, columns.index("Close")] = 0
    return CLOSES[:, None] * np.exp([shifts[name] for name in columns] + noise)
