"""The text of a recipe and what it says, refused in one sentence where it is no recipe. Imports no
torch.
"""

import codecs
import tomllib
from pathlib import Path

from convatlas.errors import RecipeError
from convatlas.regular_file import read_regular

LARGEST = 1_000_000  # bytes; a recipe with every field has 2,000
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def text_of(path: str | Path) -> str:
    """The file as text, with or without a byte order mark. RecipeError for what is no file of text,
    without waiting for a pipe and without reading more than LARGEST bytes.
    """
    try:
        data = read_regular(Path(path).expanduser(), LARGEST)
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RecipeError(
            f"cannot read the recipe {path}: {reason}; give a TOML file with fields of a recipe"
        ) from None
    if data.startswith(UTF16):
        raise RecipeError(
            f"cannot read the recipe {path}: it is written in UTF-16; save it as UTF-8"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RecipeError(
            f"cannot read the recipe {path}: not a text file in UTF-8; give a TOML file"
        ) from None


def parse(text: str, where: str) -> dict:
    """The fields that a recipe's text gives. RecipeError for what is not TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{where} is not TOML: {error}") from None
    except RecursionError:
        raise RecipeError(f"{where} is not a recipe: its lists are nested too deeply") from None
    except ValueError as error:  # a whole number of thousands of digits, an impossible date
        raise RecipeError(
            f"{where} holds a number that cannot be read: {str(error).partition(';')[0]}"
        ) from None
