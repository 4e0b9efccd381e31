"""`python -m convatlas`, which is also what torchrun starts."""

from convatlas.cli import main

main()
