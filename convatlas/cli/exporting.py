"""export: a finished run as a file for other engines, with its proof."""

from pathlib import Path

from convatlas.printable import printable


def export(run: Path, *, to: str = "onnx", output: Path | None = None) -> int:
    """Write a file that takes raw pictures and answers as predict does, and prove it.

    The file is opened by its engine in default settings and compared with predict on raw pictures;
    one that misses the limit is not kept. The figures stand in FILE.proof.json beside it.

    Parameters
    ----------
    run: Path
        The folder of a finished run.
    to: str
        onnx (ONNX Runtime), openvino or pt2 (torch.export) [onnx].
    output: Path
        The file [the network's name, in this folder].
    """
    from convatlas.deploy.exporting import export as write

    place, proof = write(run, to, output)
    print(printable(f"{place}: {proof}"))
    return 0
