"""Numbers as all forms of a report spell them."""

import math

from convatlas.magnitude import duration, short


def points(share: float | None, pictures: int) -> str:
    """A share in percent, with as many digits as the pictures allow; "" for NaN and None."""
    if share is None or math.isnan(share):
        return ""
    return f"{100 * share:.{digits(pictures)}f}"


def digits(pictures: int) -> int:
    """After the point of a percentage: one picture is seen in it."""
    return 1 if pictures < 100 else 2 if pictures < 20_000 else 3


def interval(low: float, high: float, pictures: int) -> str:
    """ "0.12 to 0.50", in percent; "" where there is none."""
    if math.isnan(low) or math.isnan(high):
        return ""
    return f"{signed(points(low, pictures))} to {signed(points(high, pictures))}"


def signed(number: str) -> str:
    """With a minus that is one."""
    return number.replace("-", "\u2212")


def probability(p: float | None) -> str:
    """Two digits that count; "" for None and NaN."""
    if p is None or math.isnan(p):
        return ""
    return "< 0.0001" if p < 0.0001 else f"{p:.2g}"


def magnitude(number: int | None) -> str:
    """1.23 M; "" for None."""
    return "" if number is None else short(number)


def seconds(value: float | None) -> str:
    """3.2 min; "" for None."""
    return "" if value is None else duration(value)


def plural(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
