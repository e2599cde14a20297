"""check(points=): several points in one report, the worst first."""

import json

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict
from tests.support import user_layers as s

RNG = np.random.default_rng(0)
SMALL, LARGE, LARGER = (size * np.array([1.0, -0.7, 0.3]) for size in (0.1, 3.0, 5.0))


def cubes(x):
    return np.sum(np.abs(x) ** 3)


def doubled_beyond_two(x):
    return 3 * x * np.abs(x) * np.where(np.abs(x) > 2, 2, 1)


def tripled(x):
    return 9 * x * np.abs(x)


@pytest.fixture(scope="module")
def mixed():
    points = [(SMALL,), (LARGE,), LARGER, (-SMALL,)]
    return gradcheck.check((cubes, doubled_beyond_two), points=points)


def test_the_report_is_that_of_the_worst_point(mixed):
    alone = gradcheck.check((cubes, doubled_beyond_two), LARGER)

    assert mixed.verdict is Verdict.FAIL
    assert list(mixed.points)[:2] == [2, 1]
    assert set(mixed.points) == {0, 1, 2, 3}
    assert [point.verdict for point in mixed.points.values()] == ["FAIL", "FAIL", "PASS", "PASS"]
    assert mixed.tensors == alone.tensors
    assert mixed.explanations == alone.explanations
    assert mixed.points[2].explanations == alone.explanations
    assert mixed.points[1].explanations == ()


def test_every_point_has_a_line(mixed):
    for text in (str(mixed), mixed.text(details=True)):
        lines = text[text.index("points, the worst first") :].splitlines()[2:6]
        assert [line.split()[:2] for line in lines] == [
            ["points[2]", "FAIL"],
            ["points[1]", "FAIL"],
            *([f"points[{n}]", "PASS"] for n in list(mixed.points)[2:]),
        ]
    assert len(str(mixed).splitlines()) <= 25
    assert "points[2]" in mixed._repr_html_()


def test_the_points_are_in_the_data(mixed):
    content = json.loads(mixed.to_json())

    assert [point["point"] for point in content["points"]] == list(mixed.points)
    assert content["points"][0]["verdict"] == "FAIL"
    assert content["forwards"] == sum(point["forwards"] for point in content["points"])


def test_all_right_passes_with_what_could_hide_at_the_worst():
    points = [RNG.standard_normal(3) for _ in range(5)]

    report = gradcheck.check((cubes, lambda x: 3 * x * np.abs(x)), points=points)

    resolutions = [point.tensors["x"].resolution for point in report.points.values()]
    assert report.ok
    assert resolutions == sorted(resolutions, reverse=True)
    assert report.tensors["x"].resolution == resolutions[0]


def test_many_points_stay_on_a_screen():
    report = gradcheck.check((cubes, tripled), points=list(RNG.standard_normal((30, 3))))

    assert len(report.points) == 30
    assert len(str(report).splitlines()) <= 25
    assert "24 more not shown" in str(report)
    assert report.text(details=True).count("points[") == 30


def test_a_layer_is_left_as_it_was():
    layer = s.Dense(4, 3)
    before = layer.W.copy()

    report = gradcheck.check(layer, points=[RNG.standard_normal((n, 4)) for n in (1, 5, 2)])

    assert report.ok, str(report)
    assert np.array_equal(layer.W, before)


def test_the_rest_of_the_arguments_hold_at_every_point():
    x = np.abs(RNG.standard_normal((2, 3)))
    report = gradcheck.check(
        (cubes, lambda x: 3 * x**2), points=list(x), constraint="positive", reference=cubes
    )

    assert report.ok
    assert all("within its constraint" in point.notes[0] for point in report.points.values())
    assert all(point.contract["agrees_with_reference"].holds for point in report.points.values())


@pytest.mark.parametrize(
    ("inputs", "points", "message"),
    [
        ((), [], r"points=\[\]: expected the inputs of one point at least"),
        ((SMALL,), [SMALL], "points: given besides 1 inputs"),
    ],
)
def test_what_are_no_points_is_refused(inputs, points, message):
    with pytest.raises(ValueError, match=message):
        gradcheck.check((cubes, tripled), *inputs, points=points)
