"""One file a paper: its table, its units, and PAPER, VARIANTS, CLAIMS. A file here never imports
the registry.
"""
