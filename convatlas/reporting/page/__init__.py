"""The report as one HTML file: no script, no request, light and dark, on paper too.

    page(report, pictures, times=True) -> str

What belongs here: how a report looks on a page. What it says is decided in the room above.
"""
