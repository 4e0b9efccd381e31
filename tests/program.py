"""The program in a process of its own."""

import subprocess
import sys


def convatlas(*words, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "convatlas", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )
