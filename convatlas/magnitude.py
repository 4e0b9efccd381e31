"""Numbers of many digits as tables and drawings show them. Imports nothing."""


def short(number: int) -> str:
    """Three digits and a unit: 25.6 M."""
    for scale, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= 0.9995 * scale:
            value = number / scale
            return f"{value:.{max(0, 3 - len(str(int(value + 0.05))))}f} {unit}"
    return str(number)
