"""Published weights of timm's models on the Hugging Face hub, by the words that fetch them.

hub.json is generated (`make index`) from the timm that is installed then.
"""

import json
from collections.abc import Iterable
from pathlib import Path

STORED = Path(__file__).with_name("hub.json")


def published() -> dict[str, list[str]]:
    """timm's name of a model -> "hub:owner/name" of each of its published weights."""
    return json.loads(STORED.read_bytes())


def text(models: Iterable[str]) -> str:
    """hub.json, as the installed timm has it."""
    return json.dumps({model: _words(model) for model in sorted(models)}, indent=1) + "\n"


def _words(model: str) -> list[str]:
    import timm

    names = timm.list_pretrained(f"{model}.*")
    hubs = [timm.get_pretrained_cfg(name).hf_hub_id or "" for name in names]
    return [words(hub, name) for name, hub in zip(names, hubs, strict=True) if hub]


def words(hub: str, name: str) -> str:
    """What fetches timm's entry of that name, given where on the hub it is."""
    return f"hub:{hub}{name if hub.endswith('/') else ''}"
