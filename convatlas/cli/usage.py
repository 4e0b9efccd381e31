"""Wrong or foreign usage: flags of other programs understood, and one sentence for what cannot be
understood.
"""

import difflib
import re
from collections.abc import Sequence
from typing import Literal, get_args, get_origin

from cyclopts import (
    App,
    ArgumentCollection,
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
)

from convatlas.elsewhere import flags
from convatlas.settings import shown

LISTED = re.compile(r"[\s,\[\]]+")  # between the numbers of a flag that takes several
OF_A_RUN = ("eval", "predict")
MISSING = {  # command -> what to type when something is missing
    "show": "which network? `convatlas show resnet50` shows one, `convatlas list` lists them all",
    "diff": "diff compares two networks, such as `convatlas diff {}`",
    "identify": "what? `convatlas identify FILE.py:NAME`, FILE.onnx or a checkpoint",
    "scale": "scale takes a network and a number, as in `convatlas scale efficientnet_b0 --phi 3`",
    "eval": "which run? `convatlas eval RUN`, with the folder that `convatlas train` has named",
    "predict": "which run? `convatlas predict RUN IMAGE…`, with the folder that `convatlas train` "
    "has named",
    "export": "which run? `convatlas export RUN --to onnx`, with the folder that `convatlas train` "
    "has named",
    "check-data": "which folder? `convatlas check-data FOLDER`, a folder with one folder a class",
    "pack": "what, and where to? `convatlas pack FOLDER OUT` packs FOLDER into the new folder OUT",
    "compress": "which run? `convatlas compress RUN`, with the folder that `convatlas train` has "
    "named, or `convatlas compress NETWORK --weights FILE`",
    "netadapt": "which run? `convatlas netadapt RUN --budget 0.7x`, with the folder that "
    "`convatlas train` has named",
    "study": "which study? `convatlas study FOLDER`, with the folder that `convatlas compare` has "
    "named",
    "convert": "which file, and for which network? `convatlas convert FILE --network NETWORK`",
}
MEANT = {  # what other programs call a command -> ours
    **dict.fromkeys(("evaluate", "val", "validate", "test"), "eval"),
    **dict.fromkeys(("fit", "finetune", "fine-tune", "resume"), "train"),
    **dict.fromkeys(("infer", "inference", "classify", "detect"), "predict"),
    **dict.fromkeys(("summary", "info", "describe", "model"), "show"),
    **dict.fromkeys(("ls", "models", "list-models", "list_models", "search"), "list"),
    **dict.fromkeys(("check", "check_data"), "check-data"),
    **dict.fromkeys(("results", "summarise", "summarize"), "report"),
    **dict.fromkeys(("benchmark", "speed", "latency", "profile"), "bench"),
    "recipe": "recipes",
    **dict.fromkeys(("which", "recognise", "recognize", "whatis"), "identify"),
}


def translated(app: App, words: Sequence[str]) -> list[str]:
    """The words with flags of other programs as ours, where they mean exactly the same.

    Raises CycloptsError for a flag that means something else, with what to type instead, and for a
    fraction where a whole number belongs, which cyclopts would round.
    """
    if not any(map(_is_flag, words[1:])) or words[0] not in commands(app):
        return list(words)
    command, ours = words[0], set(options(app, words[0]))
    done: list[str] = [command]
    for i, word in enumerate(words[1:], start=1):
        if word == "--":
            done += words[i:]
            break
        flag, equals, value = word.partition("=")
        if not _is_flag(flag) or flag in ours:
            done.append(word)
        elif same := flags.same(flag, ours):
            done.append(same + equals + value)
        elif answer := flags.answer(flag, of_a_run=command in OF_A_RUN):
            raise CycloptsError(msg=f"there is no {flag} here; {answer}")
        else:
            done.append(word)
    _refuse_fractions(app, done)
    return done


def _refuse_fractions(app: App, words: Sequence[str]) -> None:
    command, flag = words[0], ""
    hints = {name: str(one.hint) for one in _arguments(app, command) for name in one.names}
    for word in words[1:]:
        if word == "--":
            return
        value = word
        if _is_flag(word):
            flag, _, value = word.partition("=")
            if word[:2] in hints:  # -b32
                flag, value = word[:2], word[2:].removeprefix("=")
        hint = hints.get(flag, "")
        if re.search(r"\bint\b", hint) and any(map(_has_fraction, LISTED.split(value))):
            kind = "whole numbers" if re.search("list|tuple", hint) else "a whole number"
            raise CycloptsError(
                msg=f"{flag} takes {kind}, not {shown(value)}; `convatlas {command} --help` shows "
                "all"
            )


def _has_fraction(text: str) -> bool:
    try:
        return "." in text and not float(text).is_integer()
    except ValueError:  # no number at all, as cyclopts will say
        return False


def sentence(app: App, error: CycloptsError) -> str:
    """What is wrong with what was typed, and what to type."""
    command = error.command_chain[0] if error.command_chain else ""
    match error:
        case UnknownCommandError(unused_tokens=[word, *_]):
            return _unknown_command(app, word)
        case UnknownOptionError():
            return _unknown_option(app, command, error.token.keyword or error.token.value)
        case UnusedCliTokensError(unused_tokens=[word, *_]) if command:
            return (
                f"{word!r} is one word too many; `convatlas {command} --help` shows what it takes"
            )
        case CoercionError(token=token) if token and token.keyword:
            return (
                f"{token.keyword} takes {_kind(error)}, not {shown(token.value)}; "
                f"`convatlas {command} --help` shows all"
            )
        case MissingArgumentError() if flag := _without_value(error):
            return f"{flag} needs a value; `convatlas {command} --help` says which"
        case MissingArgumentError() if command in MISSING:
            return MISSING[command].format(_pair(error))
    return " ".join(str(error).split())


def commands(app: App) -> list[str]:
    """The names of the commands, in the order of the help."""
    return [name for name in app if not name.startswith("-")]


def options(app: App, command: str) -> dict[str, str]:
    """Each flag of a command, and its help."""
    found = {
        name: one.parameter.help or "" for one in _arguments(app, command) for name in one.names
    }
    return found | dict.fromkeys(("--help", "-h", "--version"), "")


_SEEN: dict[tuple[int, str], tuple[App, ArgumentCollection]] = {}  # an App cannot be hashed


def _arguments(app: App, command: str) -> ArgumentCollection:
    """To be read only: whoever parses with it leaves in it what was typed. Put together once, for
    that takes longer than all else that is asked of the words of a command line.
    """
    key = id(app), command
    if key not in _SEEN:  # the app is kept with it, so that its number is no other's
        made = app[command].assemble_argument_collection(
            default_parameter=app.default_parameter, parse_docstring=True
        )
        _SEEN[key] = app, made
    return _SEEN[key][1]


def _is_flag(word: str) -> bool:
    """Not a number below zero, nor a dash alone."""
    return word.startswith("-") and word.lstrip("-")[:1].isalpha()


def _unknown_command(app: App, word: str) -> str:
    if _is_flag(word):
        return f"there is no flag {word} before a command; `convatlas --help` shows all"
    near = difflib.get_close_matches(word, commands(app), n=1, cutoff=0.6)
    meant = MEANT.get(word) or (near[0] if near else "")
    offer = f"did you mean {meant}? " if meant else ""
    return f"there is no command {word!r}; {offer}the commands are {', '.join(commands(app))}"


def _unknown_option(app: App, command: str, word: str) -> str:
    """Only a flag of ours that is spelled nearly so is offered, with what it means."""
    flag = word.partition("=")[0]
    known = options(app, command) if command else {}
    near = difflib.get_close_matches(flag, known, n=1, cutoff=0.8)
    if not near:
        return f"there is no flag {flag}; `convatlas {command} --help` shows all"
    text = known[near[0]].partition(" [")[0]
    return f"there is no flag {flag}; did you mean {near[0]}{text and f' ({text})'}?"


def _without_value(error: MissingArgumentError) -> str:
    """The flag that stands there without its value; "" where all of it is missing."""
    tokens = error.argument.tokens if error.argument else ()
    return error.keyword or next((token.keyword for token in tokens if token.keyword), "")


def _kind(error: CoercionError) -> str:
    """What a flag takes: a whole number, a number, numbers, one of some words, ..."""
    if error.target_type is bool:
        return "true or false, or no value"
    hint = error.argument.hint if error.argument else ""
    if words := _words(hint):
        return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
    several = "tuple" in str(hint)
    whole = "int" in str(error.target_type)
    return f"{'whole ' * whole}numbers" if several else f"a {'whole ' * whole}number"


def _words(hint: object) -> list[str]:
    """Those that a Literal allows, on its own or as part of another type."""
    if get_origin(hint) is Literal:
        return list(map(str, get_args(hint)))
    return [word for part in get_args(hint) for word in _words(part)]


def _pair(error: MissingArgumentError) -> str:
    """Two networks to compare: the one that was typed, and another form of it."""
    from convatlas.pages.names import forms
    from convatlas.registry import stored_facts

    typed = [word for word in (error.root_input_tokens or [])[1:] if word in stored_facts()]
    others = (
        [name for _, names in forms(typed[0], stored_facts()) for name in names] if typed else []
    )
    return f"{typed[0]} {others[0] if others else 'OTHER'}" if typed else "resnet50 resnet50_v15"
