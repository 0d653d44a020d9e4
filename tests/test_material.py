"""Several series as one: what they share, and that each stays as it is alone."""

from pathlib import Path

import numpy as np
import pytest
from test_many_series import write_pool

from stockcast.config import Config, load_config
from stockcast.data.features import make_features
from stockcast.material import Material
from stockcast.pipeline.preparation import make_lessons, prepare
from stockcast.pipeline.series import Series, make_material, nobody


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, list[Series]]:
    path: Path = write_pool(tmp_path_factory.mktemp("pool"))
    return prepare(load_config(path), nobody)


def test_days_of_all_series_are_in_memory_once_and_materials_and_windows_look_at_them(
    pool: tuple[Config, list[Series]],
) -> None:
    lessons = make_lessons(*pool)
    whole = lessons.training
    for name in ("scaled", "closes", "unit"):
        assert getattr(lessons.validation, name) is getattr(whole, name)
        field = "prices" if name == "closes" else name
        assert all(np.shares_memory(getattr(one, field), getattr(whole, name)) for one in lessons.materials)
    assert whole.scaled.shape == (650 + 700 + 500, 3)
    assert whole.scaled.nbytes == 1850 * 3 * 4


@pytest.mark.parametrize("part", ["training", "validation"])
def test_the_windows_of_all_are_those_of_each_alone_one_series_after_the_other(
    pool: tuple[Config, list[Series]], part: str
) -> None:
    config, series = pool
    lessons = make_lessons(config, series)
    alone: list[Material] = [make_material(config, one, lessons.scaler, lessons.target) for one in series]
    each = [
        material.windows(one.split.origins(part, window=config.window, horizon=config.horizon))  # type: ignore[arg-type]
        for one, material in zip(series, alone, strict=True)
    ]
    joined = getattr(lessons, part)
    assert len(joined) == sum(len(one) for one in each)
    for values in ("inputs", "answers"):
        np.testing.assert_array_equal(
            getattr(joined, values)(), np.concatenate([getattr(one, values)() for one in each])
        )


def test_each_series_keeps_its_own_days(pool: tuple[Config, list[Series]]) -> None:
    config, series = pool
    lessons = make_lessons(config, series)
    for one, material in zip(series, lessons.materials, strict=True):
        np.testing.assert_array_equal(material.closes, one.closes)
        assert one.unit is not None
        inputs = make_features(one.prices, config.features)
        np.testing.assert_array_equal(material.unit, one.unit)
        np.testing.assert_array_equal(material.scaled, lessons.scaler.transform(inputs).astype(np.float32))
