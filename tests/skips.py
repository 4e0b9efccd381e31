"""Skips of what is not installed, and when such a skip is a failure."""

import re
from importlib.util import find_spec

import pytest


def needs(reason: str, *packages: str) -> pytest.MarkDecorator:
    """Of a whole file, a test at a time: a file that is skipped at once is counted wherever other
    tests are chosen.
    """
    return pytest.mark.skipif(not all(map(find_spec, packages)), reason=reason)


def skipped_in_vain(reports, installed: str) -> list[str]:
    """Which of these skips were for want of something that is said to be there, and the reasons."""
    words = set(filter(None, installed.split(",")))
    reasons = {f"{report.nodeid}: {report.longrepr[2]}" for report in reports}
    return sorted(
        reason
        for reason in reasons
        if "not installed" in reason and words & {*re.findall(r"\w+", _missing(reason))}
    )


def _missing(reason: str) -> str:
    """ "the extra onnx is": of what is not installed, without what would bring it."""
    return reason.partition("not installed")[0].rpartition(": ")[2]
