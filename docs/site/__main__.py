"""`python -m docs.site OUT [--no-atlas]`: the documents, and the atlas under atlas/."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from docs.site import contents, joining, links, staging

ROOT = Path(__file__).parents[2]


def main(arguments: list[str]) -> int:
    folders = [argument for argument in arguments if not argument.startswith("-")]
    if len(folders) != 1 or set(arguments) - {*folders, "--no-atlas"}:
        print("usage: python -m docs.site OUT [--no-atlas]", file=sys.stderr)
        return 2
    out = Path(folders[0])
    if out.exists() and any(out.iterdir()) and not (out / "search.json").is_file():
        print(f"{out} holds something else; give a folder that is empty or new", file=sys.stderr)
        return 1
    documents(ROOT, out)
    if "--no-atlas" not in arguments:
        atlas(out / staging.ATLAS)
        joining.join(out)
        if bad := links.broken(out, free=("atlas/networks/",)):
            print(*bad[:20], f"{len(bad)} links lead nowhere", sep="\n", file=sys.stderr)
            return 1
    print(f"{out / 'index.html'}")
    return 0


def documents(root: Path, out: Path) -> None:
    """Zensical's pages of the repository at `root`, in `out`, which is emptied first."""
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        files = staging.staged(root)
        for path, content in files.items():
            (work / "tree" / path).parent.mkdir(parents=True, exist_ok=True)
            (work / "tree" / path).write_bytes(content)
        (work / "zensical.toml").write_text(contents.settings(files), encoding="utf-8")
        zensical = Path(sys.executable).parent / "zensical"
        subprocess.run(
            [zensical, "build", "--strict", "-f", work / "zensical.toml"],
            check=True,
            capture_output=True,
            text=True,
        )
        shutil.rmtree(out, ignore_errors=True)
        shutil.move(work / "out", out)


def atlas(out: Path) -> None:
    from convatlas.explorer import building
    from convatlas.explorer import contents as explorer

    building.write_folder(explorer.site(full=True), out)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
