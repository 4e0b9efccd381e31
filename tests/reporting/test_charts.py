"""Charts of a report: no name lies on a mark of another network, or on another name."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from convatlas.reporting.page import charts, scales

HALF = 5  # of the height of a letter, at least
LABEL = re.compile(r'class="label" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)<')
WHISKER = re.compile(r'class="whisker[^"]*" d="M([\d.]+) ([\d.]+)V([\d.]+)"')
DOT = re.compile(r'class="dot[^"]*" cx="([\d.]+)" cy="([\d.]+)" r="4.5"')


def drawn(points: list[charts.Point]) -> str:
    ends = [y for point in points for y in (point.low, point.y, point.high) if y is not None]
    x = scales.logarithmic([point.x for point in points])
    y = scales.errors(ends, 0.2)
    return charts.points("", points, x, y, "parameters", "error, %")


def labels(chart: str) -> dict[str, tuple[float, ...]]:
    """The box of each name: left, right, top, bottom."""
    found = {}
    for x, y, name in LABEL.findall(chart):
        wide = charts.LETTER * len(name)
        found[name] = (float(x), float(x) + wide, float(y) - HALF, float(y) + HALF)
    return found


def marks(chart: str) -> list[tuple[float, ...]]:
    """The boxes of dots and whiskers."""
    dots = [tuple(map(float, each)) for each in DOT.findall(chart)]
    whiskers = [tuple(map(float, each)) for each in WHISKER.findall(chart)]
    return [(x - 4, x + 4, y - 4, y + 4) for x, y in dots] + [
        (x - 1, x + 1, high, low) for x, low, high in whiskers
    ]


def meet(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    left, right, top, bottom = one
    return left < other[1] and other[0] < right and top < other[3] and other[2] < bottom


def test_networks_of_nearly_the_same_size_have_their_names_clear_of_each_other():
    """As in the first study on the digits, where each name lay on the other's whisker."""
    chart = drawn(
        [
            charts.Point("lenet5", 0, 60_000, 0.31, 0.10, 1.00),
            charts.Point("resnet20_cifar", 1, 269_434, 0.90, 0.42, 1.91),
            charts.Point("lenet_caffe", 2, 431_080, 1.17, 0.61, 2.23),
        ]
    )
    assert labels(chart).keys() == {"lenet5", "resnet20_cifar", "lenet_caffe"}
    assert len(marks(chart)) == 6
    assert not [
        name for name, box in labels(chart).items() if any(meet(box, m) for m in marks(chart))
    ]


POINT = st.tuples(
    st.sampled_from(["vgg", "lenet_caffe", "a_name_so_long_that_it_has_to_be_shortened_here"]),
    *(st.floats(1e3, 1e6), st.floats(0.1, 30), st.floats(0.01, 1), st.booleans()),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(POINT, min_size=1, max_size=8))
def test_no_name_lies_on_a_mark_or_a_name(given):
    points = []
    for i, (name, x, y, share, is_known) in enumerate(given):
        reach = (y * share, y * (2 - share)) if is_known else (None, None)
        points.append(charts.Point(f"{i}{name}", i, x, y, *reach))
    chart = drawn(points)
    boxes = [*labels(chart).values()]
    assert len(marks(chart)) == sum(1 + (point.low is not None) for point in points)
    assert not any(meet(box, mark) for box in boxes for mark in marks(chart))
    assert not any(meet(a, b) for i, a in enumerate(boxes) for b in boxes[:i])
    for left, right, top, bottom in boxes:
        assert left >= 0 and right <= charts.WIDE and top > 0 and bottom < charts.HIGH
