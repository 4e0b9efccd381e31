"""`python -m convatlas.pages`, in the root of the repository: renews the generated documents."""

import sys
from pathlib import Path

from convatlas.pages import write

try:
    changed = write(Path())
except (FileNotFoundError, ValueError) as error:
    sys.exit(f"no documents were written: {error}; run this in the root of the repository")
print("\n".join(changed) or "all documents are fresh")
