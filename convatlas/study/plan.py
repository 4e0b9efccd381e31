"""A study's folder and what it says: study.json, what was asked for; plan.jsonl, a line for each
run; recipes/, the whole recipe of each. Imports no torch.

A line is the same whoever carries it out, wherever, and however often: it begins a run, goes on
with it, or finds that it is over.
"""

import hashlib
import itertools
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from convatlas import strict_json
from convatlas.errors import RunError
from convatlas.training.plain_files import (
    flush_folder,
    kind,
    make_durably,
    read_plain,
    replace_durably,
    write_durably,
)
from convatlas.training.recipe import Recipe, deciding

FORMAT = 1
DIGITS = 12  # of a run's name: among a million runs two would share one with a chance of 0.2 %
LARGEST = {"study.json": 1_000_000, "plan.jsonl": 64_000_000}
NAME = re.compile(r"[A-Za-z0-9_.-]{1,200}")
UNTESTED = "--no-test"


@dataclass(frozen=True)
class Images:
    """A data set of a study."""

    name: str  # in names of runs and in reports
    place: str  # what --data was given
    fingerprint: str


@dataclass(frozen=True)
class Asked:
    """What a study is of: every network on every data set, in every setting, with every seed."""

    networks: tuple[str, ...]
    data: tuple[Images, ...]
    seeds: int  # 0, 1, ...
    recipe: str = ""  # a name or a file; none: what train takes for each network and data set
    given: Mapping[str, Any] = field(default_factory=dict)  # the recipe's, as flags gave them
    vary: Mapping[str, list] = field(default_factory=dict)  # fields -> the values to choose from

    def to_json(self) -> dict:
        return {"format": FORMAT, **asdict(self)}


@dataclass(frozen=True)
class Line:
    """One run of a study, and the words after `convatlas` that carry it out, in the study."""

    run: str
    network: str
    data: str
    seed: int
    vary: Mapping[str, Any]
    command: tuple[str, ...]

    @property
    def is_test(self) -> bool:
        """Whether the command looks at the test images."""
        return UNTESTED not in self.command

    def testing(self) -> "Line":
        """The same run, to be finished: its best weights on the test images."""
        return replace(self, command=("train", "--resume", f"runs/{self.run}"))

    @property
    def setting(self) -> str:
        """What the seeds of one network, data set and setting share."""
        return strict_json.dumps([self.network, self.data, dict(self.vary)])

    def folder(self, study: Path) -> Path:
        return study / "runs" / self.run

    def recipe_file(self, study: Path) -> Path:
        return study / "recipes" / f"{self.run}.toml"


def line_of(recipe: Recipe, images: Images, vary: Mapping[str, Any], weights: str = "") -> Line:
    """The line of a recipe; `weights` is the sha256 of what the run begins with, if anything."""
    name = f"{recipe.network}-{images.name}-{_digits(recipe, images.fingerprint, weights)}"
    return Line(name, recipe.network, images.name, recipe.seed, dict(vary), _command(name))


def _command(run: str) -> tuple[str, ...]:
    file, folder = f"recipes/{run}.toml", f"runs/{run}"
    return ("train", "--recipe", file, "--output", folder, "--resume", "auto", UNTESTED)


def _digits(recipe: Recipe, fingerprint: str, weights: str) -> str:
    """Of all that can change the result, wherever images and weights lie."""
    fields = deciding(recipe) | {"data": fingerprint}
    if weights:
        fields["weights"] = weights
    text = strict_json.dumps(dict(sorted(fields.items())))
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def write(study: Path, asked: Asked, runs: Iterable[tuple[Line, Recipe]]) -> list[Line]:
    """Make a study's folder; study.json last, for it says that the plan is whole. A folder that
    holds the same study is left as it is. RunError where it holds another, or cannot be written.
    """
    if kind(study / "study.json"):
        require_same(study, asked)
        return read(study)
    if kind(study) == "a folder" and (found := _foreign(study)):
        raise RunError(
            f"{study} holds {found!r}, which is no part of a study; choose another --output"
        )
    runs = list(runs)
    lines = [line for line, _ in runs]
    try:
        for folder in (study, study / "recipes", study / "runs"):
            make_durably(folder)
        for line, recipe in runs:
            file = line.recipe_file(study)
            file.unlink(missing_ok=True)  # of a plan that was not whole
            write_durably(file, recipe.to_toml().encode())
        flush_folder(study / "recipes")
        text = "".join(strict_json.dumps(_row(line)) + "\n" for line in lines)
        replace_durably(study / "plan.jsonl", text.encode())
        whole = strict_json.dumps(asked.to_json(), indent=1)
        replace_durably(study / "study.json", whole.encode())
    except OSError as error:
        raise RunError(
            f"cannot write the study {study}: {error.strerror}; free some space, or choose another "
            "--output"
        ) from None
    return lines


def _foreign(study: Path) -> str:
    """A file or folder that no study of ours, half written, would hold; "" where there is none."""
    ours = {"recipes", "runs", "failed", "logs", "plan.jsonl", "chosen.json", "study.lock"}
    names = sorted(entry.name for entry in study.iterdir())
    return next((name for name in names if name not in ours and name[:5] != ".tmp-"), "")


def _row(line: Line) -> dict:
    return asdict(line) | {"command": list(line.command)}


def require_same(study: Path, asked: Asked) -> None:
    """RunError, naming what differs, where the folder holds another study than `asked`."""
    before, now = strict_json.loads(_dumped(read_asked(study))), strict_json.loads(_dumped(asked))
    changed = [name for name in now if before[name] != now[name]]
    if changed:
        parts = "; ".join(
            f"{name}: {_short(before[name])}, now {_short(now[name])}" for name in changed
        )
        raise RunError(
            f"{study} holds a study of another plan ({parts}); go on with that one by "
            f"{continue_command(study)}, or choose another --output"
        )


def continue_command(study: Path) -> str:
    """What a person types to go on with a study."""
    return f"convatlas compare --continue {shlex.quote(str(study))}"


def _dumped(asked: Asked) -> bytes:
    return strict_json.dumps(asked.to_json()).encode()


def _short(value: Any) -> str:
    if isinstance(value, list):
        names = [each["name"] if isinstance(each, dict) else str(each) for each in value]
        return " ".join(names) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name} = {each}" for name, each in value.items()) or "none"
    return str(value) or "none"


def read_asked(study: Path) -> Asked:
    """What a study was asked for. RunError where the folder holds none, or it is damaged."""
    found = _read(study, "study.json")
    try:
        told = strict_json.loads(found)
        if told["format"] != FORMAT:
            raise RunError(
                f"{study / 'study.json'} was written by another version of convatlas (format "
                f"{told['format']!r:.20}); use that one"
            )
        asked = Asked(
            tuple(told["networks"]),
            tuple(Images(**images) for images in told["data"]),
            told["seeds"],
            told["recipe"],
            _fields(told["given"]),
            _fields(told["vary"]),
        )
        names = [*asked.networks, asked.recipe]
        names += [text for images in asked.data for text in asdict(images).values()]
        if type(asked.seeds) is not int or not all(isinstance(name, str) for name in names):
            raise ValueError
        if not all(isinstance(several, list) for several in asked.vary.values()):
            raise ValueError
        if not all(map(_is_value, itertools.chain(*asked.vary.values()))):
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise _damaged(study, "study.json") from None
    return asked


def _fields(found: object) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise TypeError
    return found


def _is_value(found: object) -> bool:
    """Whether it is what a field that varies can have."""
    return type(found) in (str, bool, int, float)


def read(study: Path) -> list[Line]:
    """The lines of a study, in its order. RunError where the folder holds none, or is damaged."""
    read_asked(study)
    try:
        lines = [_line(strict_json.loads(row)) for row in _read(study, "plan.jsonl").splitlines()]
        if not lines or len({line.run for line in lines}) < len(lines):
            raise ValueError
        return lines
    except (ValueError, KeyError, TypeError):
        raise _damaged(study, "plan.jsonl") from None


def read_line(study: Path, run: str) -> Line:
    """The line of one run. RunError where there is none."""
    for line in read(study):
        if line.run == run:
            return line
    raise RunError(f"the study {study} has no run {run!r}; `convatlas study` lists them")


def _line(row: dict) -> Line:
    """Raises ValueError, KeyError or TypeError for what no study wrote: a run's name is a part of
    paths, and its command is run.
    """
    line = Line(
        *(row["run"], row["network"], row["data"], row["seed"]),
        *(_fields(row["vary"]), tuple(row["command"])),
    )
    texts = all(isinstance(text, str) for text in (line.run, line.network, line.data))
    if not texts or not NAME.fullmatch(line.run) or not all(map(_is_value, line.vary.values())):
        raise ValueError
    if type(line.seed) is not int or line.command != _command(line.run):
        raise ValueError
    return line


def _read(study: Path, name: str) -> bytes:
    path = study / name
    if not kind(path):
        raise RunError(
            f"{study} holds no study (no {name}); `convatlas compare NAME… --data D --output "
            f"{shlex.quote(str(study))}` begins one"
        )
    try:
        return read_plain(path, LARGEST[name])
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror}; put the study's own back") from None


def _damaged(study: Path, name: str) -> RunError:
    return RunError(
        f"{study / name} is not what a study has written; put its own back, or begin another study"
    )


def commands(study: Path, lines: Sequence[Line]) -> list[str]:
    """Each line as a person types it, from any folder."""
    place = shlex.quote(str(study.absolute()))
    return [f"cd {place} && {shlex.join(('convatlas', *line.command))}" for line in lines]
