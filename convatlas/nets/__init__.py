"""One file a paper: its table, its units, and PAPER, VARIANTS. What the paper prints of it
stands in claims/. A file here never imports the registry.
"""
