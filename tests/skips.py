"""When a skipped test is a failure."""

import re


def skipped_in_vain(reports, installed: str) -> list[str]:
    """Which of these skips were for want of something that is said to be there, and the reasons."""
    words = set(filter(None, installed.split(",")))
    reasons = {f"{report.nodeid}: {report.longrepr[2]}" for report in reports}
    return sorted(
        reason
        for reason in reasons
        if "not installed" in reason and words & {*re.findall(r"\w+", reason.rpartition(": ")[2])}
    )
