"""Numbers of many digits, and times, as tables, drawings and lines show them. Imports nothing."""


def short(number: int) -> str:
    """Three digits and a unit: 25.6 M."""
    for scale, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= 0.9995 * scale:
            value = number / scale
            return f"{value:.{max(0, 3 - len(str(int(value + 0.05))))}f} {unit}"
    return str(number)


def duration(seconds: float) -> str:
    """0.4 s, 12 s, 3.2 min, 5.2 h."""
    if seconds < 100:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
