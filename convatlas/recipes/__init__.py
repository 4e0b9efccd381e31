"""Whole runs as TOML, the paper's own beside modern ones; the first lines say which, and what is
not as printed.
"""
