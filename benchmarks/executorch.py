"""ExecuTorch: the smallest network of every paper, in the terms of all exports.

    python -m benchmarks.executorch              # all; takes up what was stopped
    python -m benchmarks.executorch lenet5       # one
    python -m benchmarks.executorch --page       # writes the table of docs/ship/executorch.md

One picture at a time goes through the engine.
"""

from pathlib import Path

from benchmarks import smallest

RESULTS = Path(__file__).with_suffix(".jsonl")
PAGE = Path(__file__).parents[1] / "docs" / "ship" / "executorch.md"

if __name__ == "__main__":
    smallest.main("executorch", __doc__.splitlines()[0], RESULTS, PAGE)
