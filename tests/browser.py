"""Chromium for the tests of pages: one browser a process, and a tab that notices what a page must
not do.

Where Chromium cannot be found a test that asks for it is skipped with a sentence; with
CONVATLAS_CHROMIUM=required, as in the script of the checks, it fails. CONVATLAS_CHROMIUM may also
name the program.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

WANTED = "CONVATLAS_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars")


def found() -> str | None:
    """The program, or None."""
    named = os.environ.get(WANTED, "")
    if named not in ("", "required"):
        return shutil.which(named)
    return next(filter(None, map(shutil.which, NAMES)), None)


def missing(reason: str) -> None:
    """Skips the test, or fails it where the browser is required."""
    if os.environ.get(WANTED) == "required":
        pytest.fail(f"{reason}; {WANTED}=required says it must be there")
    pytest.skip(f"{reason}; apt-get install chromium brings it")


@pytest.fixture(scope="module")
def chromium() -> Iterator:
    """Playwright's handle of a headless Chromium. Of a module's tests only: as long as it is open,
    an event loop runs in this thread, and no other test could run one.
    """
    program = found()
    if program is None:
        missing("Chromium is not installed")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def tab(chromium) -> Iterator:
    """An empty tab, 1280x800. At the end of the test no request has left the loopback interface
    and nothing was said on the console but plain log lines.

    `tab.bad` is the list of what was noticed so far; a test that provokes something clears it.
    """
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.bad = []
    page.on("request", lambda request: _outside(page, request.url))
    page.on("console", lambda line: _said(page, line))
    page.on("pageerror", lambda error: page.bad.append(f"error: {error}"))
    yield page
    bad = list(page.bad)
    context.close()
    assert bad == []


def _outside(page, address: str) -> None:
    here = ("http://127.0.0.1:", "file:", "data:", "blob:", "about:")
    if not address.startswith(here):
        page.bad.append(f"request to {address}")


def _said(page, line) -> None:
    if line.type in ("error", "warning"):
        page.bad.append(f"{line.type}: {line.text}")


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[Path], str]]:
    """serve(FOLDER or contents.site()) -> "http://127.0.0.1:PORT/", until the tests end."""
    from convatlas.explorer.server import serving

    with ExitStack() as open_ones:
        yield lambda held: open_ones.enter_context(serving(held))
