"""A trained network as a file of each engine: pictures in, logits and probabilities out, batch norm
folded into the convolutions before it, the record in the file's metadata.
"""

from pathlib import Path

import torch

from convatlas.deploy.engines import needed
from convatlas.deploy.network_graph import Answers, network_graph
from convatlas.deploy.openvino_graph import openvino_model
from convatlas.deploy.record import KEY, Record, installed, sha256
from convatlas.model_file import Saved, weights_file

WRITERS = ("torch", "onnx", "onnxscript", "openvino", "executorch")


def record_of(saved: Saved) -> Record:
    import convatlas

    return Record(
        saved.network,
        saved.classes,
        saved.preprocess.to_dict(),
        sha256(weights_file(saved.net.state_dict())),
        saved.provenance,
        {"convatlas": convatlas.__version__, **installed(*WRITERS)},
    )


def write(saved: Saved, kind: str, path: Path) -> None:
    """Raises ExportError where a package of the kind's extra is missing."""
    from convatlas.deploy.aoti import write_aoti
    from convatlas.deploy.executorch import write_executorch

    {
        "onnx": write_onnx,
        "openvino": write_openvino,
        "pt2": write_pt2,
        "aoti": write_aoti,
        "executorch": write_executorch,
    }[kind](saved, path)


def write_onnx(saved: Saved, path: Path, model=None) -> None:
    """`model` is what onnx_model gave, where it was needed before."""
    onnx = needed("onnx", "onnx", "--to onnx")
    model = model or onnx_model(saved)
    onnx.helper.set_model_props(model, {KEY: record_of(saved).to_json()})
    path.write_bytes(model.SerializeToString())


def onnx_model(saved: Saved):
    """The picture graph and the network's, in one."""
    return with_pictures(saved, network_graph(saved))


def with_pictures(saved: Saved, network):
    """The graph of a network that reads `images`, behind one that makes them of pictures."""
    onnx = needed("onnx", "onnx", "this export")
    from convatlas.deploy.picture_graph import IR_VERSION, picture_graph

    network.ir_version = IR_VERSION
    head = onnx.compose.add_prefix(
        picture_graph(saved.preprocess), "picture/", rename_inputs=False, rename_outputs=False
    )
    return onnx.compose.merge_models(head, network, io_map=[("input", "images")])


def write_openvino(saved: Saved, path: Path, model=None) -> None:
    """`model` as for write_onnx."""
    ov = needed("openvino", "openvino", "--to openvino")
    graph = model or onnx_model(saved)
    model = openvino_model(ov, graph.SerializeToString())
    model.set_rt_info(record_of(saved).to_json(), [KEY])
    ov.save_model(model, str(path), compress_to_fp16=False)


def write_pt2(saved: Saved, path: Path) -> None:
    from convatlas.deploy.picture_module import Pictures

    program = Pictures(saved.preprocess, Answers(saved.net)).exported()
    torch.export.save(program, path, extra_files={KEY: record_of(saved).to_json()})
