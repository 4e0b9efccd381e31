"""export: a run, or a network with weights, as a file for other engines, with its proof."""

from pathlib import Path

from convatlas.cli.flags import Source, Weights
from convatlas.errors import ExportError
from convatlas.printable import printable


def export(
    run: Path,
    *,
    to: str = "onnx",
    output: Path | None = None,
    weights: Weights = None,
    source: Source = None,
    int8: bool = False,
    calibrate: Path | None = None,
    keep_slower: bool = False,
) -> int:
    """Write a file that takes raw pictures and answers as predict does, and prove it.

    The file is opened by its engine in default settings and compared with predict on raw pictures;
    one that misses the limit is not kept. The figures stand in FILE.proof.json beside it.

    Parameters
    ----------
    run: Path
        The folder of a finished run, or a compressed file (.dc); or with --weights the name of a
        network.
    to: str
        onnx (ONNX Runtime), openvino, pt2 (torch.export), aoti (compiled for this machine) or
        executorch; or a model repository: of NVIDIA's Triton (triton, with an onnx file) or of
        OpenVINO Model Server (ovms) [onnx].
    output: Path
        The file [the network's name, in this folder], or the repository [models].
    int8: bool
        In whole numbers of 8 bits, for onnx or openvino: loses 0.5 points of the validation
        pictures at most, gives 97 % of them the same answer and is faster than the float file, or
        is not kept.
    calibrate: Path
        A folder of pictures that set the scales of --int8 [the run's own for training].
    keep_slower: bool
        Keep an int8 file that is not faster than the float one.
    """
    from convatlas.cli.opening import opened, require_run

    if int8:
        return _export_int8(run, to, output, weights, calibrate, keep_slower)
    if calibrate is not None or keep_slower:
        raise ExportError(
            "--calibrate and --keep-slower have an effect with --int8 only; leave them out, or add "
            "--int8"
        )
    from convatlas.deploy.exporting import export as write

    if not weights:
        require_run(run, source)
    model = opened(run, weights, source, "cpu") if weights else run
    place, proof = write(model, to, output)
    print(printable(f"{place}: {proof}"))
    return 0


def _export_int8(
    run: Path,
    to: str,
    output: Path | None,
    weights: str | None,
    calibrate: Path | None,
    keep_slower: bool,
) -> int:
    if weights:
        raise ExportError(
            "--int8 is judged on a run's own validation pictures; train --weights gives such a run"
        )
    from convatlas.deploy.quantising import export_int8

    place, proof = export_int8(
        run, output, calibrate, keep_slower, lambda line: print(printable(line)), to
    )
    print(printable(f"{place}: {proof}"))
    print("how far each layer is from float, alone:")
    for one in proof.layers:
        print(printable(f"  {100 * one['error']:5.1f} %  {one['layer']}"))
    for name in proof.in_float:
        print(printable(f"  in float  {name}"))
    return 0
