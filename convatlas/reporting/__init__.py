"""From the folders of finished or half-done runs to numbers, tests, figures and files.

    report("studies/digits")                    # report.html, .csv, .json, .tex, .md in that folder
    found = report_of(gather(["runs/a", "runs/b"]))
    found.sections[0].comparison.sentence       # "lenet_caffe is better than lenet5 by 0.31 ..."

What belongs here: what can be said of runs that exist, whoever made them and however. What is to be
run, and where, belongs to study. Names are looked up on first use.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convatlas.reporting.gathering import gather
    from convatlas.reporting.sections import report_of
    from convatlas.reporting.writing import FORMATS, report

_HOMES = {"FORMATS": "writing", "gather": "gathering", "report": "writing", "report_of": "sections"}
__all__ = ["FORMATS", "gather", "report", "report_of"]


if not TYPE_CHECKING:

    def __getattr__(name: str):
        if name not in _HOMES:
            raise AttributeError(f"module 'convatlas.reporting' has no attribute {name!r}")
        return getattr(importlib.import_module(f"convatlas.reporting.{_HOMES[name]}"), name)
