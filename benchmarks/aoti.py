"""AOTInductor: the smallest network of every paper, in the terms of all exports.

    python -m benchmarks.aoti              # all; takes up what was stopped
    python -m benchmarks.aoti lenet5       # one
    python -m benchmarks.aoti --page       # writes the table of docs/ship/aoti.md

It compiles for half a minute to two minutes a network.
"""

from pathlib import Path

from benchmarks import smallest

RESULTS = Path(__file__).with_suffix(".jsonl")
PAGE = Path(__file__).parents[1] / "docs" / "ship" / "aoti.md"

if __name__ == "__main__":
    smallest.main("aoti", __doc__.splitlines()[0], RESULTS, PAGE)
