"""explore: the site, written as a folder or a file, or served on this machine and opened."""

import contextlib
import os
import webbrowser
from pathlib import Path

from convatlas.cli.output import say_error
from convatlas.errors import RecipeError


def explore(
    name: str = "",
    *,
    build: Path | None = None,
    single_file: Path | None = None,
    wasm: Path | None = None,
    full: bool = False,
    address: str = "",
    port: int = 0,
    no_open: bool = False,
) -> int:
    """Open the atlas in a browser: every network drawn beside its paper's table, compared, alive.

    Without --build or --single-file the pages are served on this machine alone, until Ctrl-C. No
    page asks any other host for anything.

    Parameters
    ----------
    name: str
        A network, or the folder of a finished run, to open at its page [the first page].
    build: Path
        Write the site into this new folder, for any static host, and leave.
    single_file: Path
        Write the site as one HTML file that opens from disk, and leave.
    wasm: Path
        The npm package onnxruntime-web, a .tgz or its folder: pages of live networks then run it.
    full: bool
        Write the drawing of every unit of each network too, 2 MB more; what is served always has
        them.
    address: str
        Where the folder will stand, such as https://example.org/atlas/: a link that is pasted
        somewhere then shows a picture.
    port: int
        The port; 0 for one that is free.
    no_open: bool
        Do not open a browser.
    """
    from convatlas.explorer import building, contents

    if build and single_file:
        raise RecipeError("give --build or --single-file, one at a time")
    if (build or single_file) and name:
        raise RecipeError(f"the site is written whole; leave {name} out, or leave --build out")
    if single_file and wasm:
        raise RecipeError("a single file does not carry the engine; leave --wasm out, or --build")
    if address and not build:
        raise RecipeError("--address says where the folder of --build will stand; give --build too")
    engine = _engine(wasm)
    if build:
        files = contents.site(full)
        if address:
            from convatlas.explorer.previews import with_previews

            files = with_previews(files, address)
        number = building.write_folder(files | engine, build, say_error)
        print(f"{build}: {number} files; open {build / 'index.html'} through any web server")
        return 0
    if single_file:
        size = building.write_single(contents.site(full), single_file)
        print(f"{single_file}: {size / 1e6:.1f} MB; opens in any browser, from disk")
        return 0
    files, path = _opened(name)
    return _serve(files | engine, path, port, no_open)


def _engine(package: Path | None) -> dict:
    """onnxruntime's part of the site, where its package is given."""
    if package is None:
        return {}
    from convatlas.explorer.live import engine

    return engine.files(package)


def _opened(name: str) -> tuple[dict, str]:
    """The site and the page to open: of a network, of a run (whose page is added), or the first."""
    from convatlas.explorer import contents
    from convatlas.explorer.networks import where
    from convatlas.registry import require, stored_facts

    files = contents.site(full=True)
    if not name:
        return files, ""
    if name not in stored_facts() and (Path(name).is_dir() or os.sep in name):
        from convatlas.explorer import run_page

        return files | run_page.files(Path(name)), run_page.WHERE
    require(name, stored_facts())
    return files, where(name)


def _serve(files: dict, path: str, port: int, no_open: bool) -> int:
    from convatlas.explorer import server

    with server.bound(files, port) as held:
        address = server.address(held) + path
        print(f"{address} (Ctrl-C ends it)", flush=True)
        if not no_open:
            webbrowser.open(address)
        with contextlib.suppress(KeyboardInterrupt):
            held.serve_forever()
    return 0
