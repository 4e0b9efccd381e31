"""export: a run, or a network with weights, as a file for other engines, with its proof."""

from pathlib import Path

from convatlas.printable import printable


def export(
    run: Path,
    *,
    to: str = "onnx",
    output: Path | None = None,
    weights: str | None = None,
    source: str | None = None,
) -> int:
    """Write a file that takes raw pictures and answers as predict does, and prove it.

    The file is opened by its engine in default settings and compared with predict on raw pictures;
    one that misses the limit is not kept. The figures stand in FILE.proof.json beside it.

    Parameters
    ----------
    run: Path
        The folder of a finished run; or with --weights the name of a network.
    to: str
        onnx (ONNX Runtime), openvino or pt2 (torch.export) [onnx].
    output: Path
        The file [the network's name, in this folder].
    weights: str
        Published weights, or a file of them, where a network is named instead of a run:
        torchvision, hub:owner/name or FILE; see `convatlas list --weights`.
    source: str
        Where such a file comes from, such as timm or timm:tf_efficientnet_b0, where its names fit
        several networks.
    """
    from convatlas.cli.opening import opened, require_run
    from convatlas.deploy.exporting import export as write

    if not weights:
        require_run(run, source)
    model = opened(run, weights, source, "cpu") if weights else run
    place, proof = write(model, to, output)
    print(printable(f"{place}: {proof}"))
    return 0
