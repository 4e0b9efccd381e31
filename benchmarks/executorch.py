"""ExecuTorch: the smallest network of every paper, from raw pictures, in the terms of all exports.

    python -m benchmarks.executorch              # all; takes up what was stopped
    python -m benchmarks.executorch lenet5       # one
    python -m benchmarks.executorch --page       # writes the table of docs/ship/executorch.md

Each network is exported and proved with random weights whose statistics are those of the built-in
pictures: limits 1e-5 of the largest logit and 100 % the same answer. A line of benchmarks/
executorch.jsonl for each, with its figures or why it was refused.
"""

import argparse
import json
import tempfile
from pathlib import Path

import torch
import torch.nn as nn

from convatlas.data import Preprocess
from convatlas.deploy.exporting import export
from convatlas.deploy.record import installed
from convatlas.deploy.sample_pictures import sample_batches
from convatlas.errors import ExportError
from convatlas.model_file import Saved
from convatlas.registry import create_model, stored_facts
from convatlas.training.provenance import provenance

RESULTS = Path(__file__).with_suffix(".jsonl")
PAGE = Path(__file__).parents[1] / "docs" / "ship" / "executorch.md"
START, END = "<!-- figures of benchmarks/executorch.jsonl -->", "<!-- end of figures -->"
SIDE = 64  # pixels, where the network takes as little


def chosen() -> list[str]:
    """The smallest network of each paper; what costs least comes first."""
    papers: dict[str, list[str]] = {}
    for name, facts in stored_facts().items():
        papers.setdefault(facts["paper"]["page"], []).append(name)
    smallest = [
        min(names, key=lambda name: stored_facts()[name]["params"]) for names in papers.values()
    ]
    return sorted(smallest, key=lambda name: stored_facts()[name]["macs"])


def saved(name: str) -> Saved:
    """With weights and statistics that matter: no layer is silent, and pictures get answers of
    their own.
    """
    torch.manual_seed(0)
    net = create_model(name)
    side = max(net.smallest, min(net.side, SIDE))
    channels = net.in_channels
    prep = Preprocess(
        channels, side, (0.45,) * channels, (0.25,) * channels, "resize", round(side / 0.875)
    )
    images = torch.cat(
        [
            prep.fit_images(torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous())
            for pictures in sample_batches()
        ]
    )
    settle(net, prep.normalise(images[:32]))
    classes = tuple(map(str, range(stored_facts()[name]["num_classes"])))
    return Saved(net.eval(), name, classes, prep, {"weights": "random"})


def settle(net: nn.Module, images: torch.Tensor) -> None:
    """Norms take the statistics of these images, and scales and shifts of their own."""
    norms = [m for m in net.eval().modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.momentum = 1.0
        norm.train()
        if norm.affine:
            nn.init.normal_(norm.weight, 1, 0.3)
            nn.init.normal_(norm.bias, 0, 0.1)
    with torch.no_grad():
        net(images)


def measured(name: str) -> dict:
    row = {
        "network": name,
        "paper": stored_facts()[name]["paper"]["page"],
        "processor": provenance(torch.device("cpu"))["device"],
        "versions": installed("convatlas", "torch", "executorch"),
    }
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / f"{name}.pte"
        model = saved(name)
        row["side"] = model.preprocess.side
        try:
            place, proof = export(model, "executorch", place)
        except ExportError as error:
            return row | {"refused": str(error).replace(f"{folder}/", "")}
        figures = {key: getattr(proof, key) for key in ("pictures", "error", "agreement")}
        return row | figures | {"bytes": place.stat().st_size}


def table(rows: list[dict]) -> str:
    proved = [row for row in rows if "refused" not in row]
    lines = [
        f"{len(proved)} of {len(rows)} networks proved.",
        "",
        "| network | side | largest error | same answer | MB | |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join(lines + [line(row) for row in sorted(rows, key=lambda row: row["network"])])


def line(row: dict) -> str:
    begin = f"| {row['network']} | {row.get('side', '')} |"
    if "refused" in row:
        return f"{begin} | | | refused: {row['refused']} |"
    return (
        f"{begin} {row['error']:.1e} | {100 * row['agreement']:.0f} % of {row['pictures']} | "
        f"{row['bytes'] / 1e6:.1f} | |"
    )


def stored() -> list[dict]:
    if not RESULTS.exists():
        return []
    return [json.loads(text) for text in RESULTS.read_text().splitlines()]


def write_page() -> None:
    before, _, rest = PAGE.read_text().partition(START)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{START}\n\n{table(stored())}\n\n{END}{after}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", help="[the smallest of every paper]")
    parser.add_argument("--page", action="store_true", help="write the page from what is stored")
    asked = parser.parse_args()
    done = {row["network"] for row in stored()}
    names = [] if asked.page else [n for n in asked.networks or chosen() if n not in done]
    for name in names:
        row = measured(name)
        with RESULTS.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(line(row), flush=True)
    write_page()


if __name__ == "__main__":
    main()
