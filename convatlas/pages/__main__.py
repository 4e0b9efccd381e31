"""`python -m convatlas.pages`, in the root of the repository: renews the generated documents."""

import sys
from pathlib import Path

from convatlas.pages import write
from convatlas.registry import stale

try:
    changed = write(Path())
except (FileNotFoundError, ValueError) as error:
    sys.exit(f"no documents were written: {error}; run this in the root of the repository")
if outdated := stale():
    print(f"the documents are as old as the index: {outdated}", file=sys.stderr)
print("\n".join(changed) or f"all documents are {'as the index is' if outdated else 'fresh'}")
