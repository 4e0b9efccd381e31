"""The Open Inference Protocol, version 2: what a request says and how an answer is written. Tensors
come and go as JSON or, by the extension for binary tensors, as bytes behind it.
"""

import math
from dataclasses import dataclass

import numpy as np

from convatlas import strict_json
from convatlas.serving.models import Model
from convatlas.serving.refusal import Refusal

HEADER = "Inference-Header-Content-Length"
EXTENSIONS = ["binary_tensor_data"]
VERSION = "1"  # of every model: a file has no other
INPUT = "pictures"
OUTPUTS = ("logits", "probabilities")
LARGEST_JSON = 2_000_000  # bytes; reading more would keep other clients waiting
LARGEST_BATCH = 64


@dataclass(frozen=True)
class Question:
    """pictures: uint8 (N, H, W, 1 or 3). binary: output name -> whether it is wanted as bytes."""

    pictures: np.ndarray
    binary: dict[str, bool]
    id: str | None


def metadata(model: Model) -> dict:
    outputs = [
        {"name": name, "datatype": "FP32", "shape": [-1, len(model.classes)]} for name in OUTPUTS
    ]
    return {
        "name": model.name,
        "versions": [VERSION],
        "platform": model.opened.engine.split()[0],
        "inputs": [{"name": INPUT, "datatype": "UINT8", "shape": [-1, -1, -1, -1]}],
        "outputs": outputs,
    }


def question(body: bytes, json_length: str | None, max_megapixels: float) -> Question:
    """`json_length` is the value of HEADER. Raises Refusal, which names the field."""
    split = _split(body, json_length)
    if split > LARGEST_JSON:
        raise Refusal(
            413, f"the JSON of a request may have {LARGEST_JSON} bytes; send {INPUT} as binary data"
        )
    try:
        asked = strict_json.loads(body[:split])
    except ValueError as error:
        raise Refusal(400, f"the request is not JSON: {_short(error)}") from None
    _require(isinstance(asked, dict), "the request must be a JSON object")
    name = asked.get("id")
    _require(name is None or isinstance(name, str), "id must be a string")
    inputs = asked.get("inputs")
    _require(
        isinstance(inputs, list) and len(inputs) == 1 and isinstance(inputs[0], dict),
        f"inputs must be a list of one tensor, {INPUT}",
    )
    pictures = _pictures(inputs[0], body[split:], max_megapixels)
    return Question(pictures, _wanted(asked), name)


def answer(model: Model, asked: Question, tensors: dict[str, np.ndarray]) -> tuple[bytes, int]:
    """The body, and the length of the JSON with which it begins. `tensors` are float32 (N, classes)
    by name.
    """
    outputs, behind = [], []
    for name, binary in asked.binary.items():
        values = np.ascontiguousarray(tensors[name], "<f4")
        about = {"name": name, "datatype": "FP32", "shape": list(values.shape)}
        if binary:
            behind.append(values.tobytes())
            outputs.append(about | {"parameters": {"binary_data_size": values.nbytes}})
        else:
            outputs.append(about | {"data": values.ravel().tolist()})
    about = {"model_name": model.name, "model_version": VERSION, "outputs": outputs}
    if asked.id is not None:
        about["id"] = asked.id
    start = strict_json.dumps(about).encode()
    return b"".join([start, *behind]), len(start)


def _split(body: bytes, json_length: str | None) -> int:
    if json_length is None:
        return len(body)
    fits = json_length.isascii() and json_length.isdigit() and len(json_length) < 12
    _require(
        fits and int(json_length) <= len(body),
        f"{HEADER} must be a number of bytes within the body",
    )
    return int(json_length)


def _pictures(tensor: dict, behind: bytes, max_megapixels: float) -> np.ndarray:
    _require(tensor.get("name") == INPUT, f"the name of the input must be {INPUT}")
    _require(tensor.get("datatype") == "UINT8", f"the datatype of {INPUT} must be UINT8")
    shape = tensor.get("shape")
    _require(
        isinstance(shape, list)
        and len(shape) == 4
        and all(type(side) is int and 0 < side < 2**31 for side in shape)
        and shape[3] in (1, 3),
        f"the shape of {INPUT} must be [pictures, height, width, 1 or 3]",
    )
    _require(shape[0] <= LARGEST_BATCH, f"{INPUT} may hold {LARGEST_BATCH} pictures", 413)
    _require(
        math.prod(shape[:3]) <= max_megapixels * 1e6,
        f"{INPUT} may hold {max_megapixels:g} megapixels",
        413,
    )
    size = _parameters(tensor, INPUT).get("binary_data_size")
    count = math.prod(shape)
    if size is None:
        _require(not behind, "there are bytes behind the JSON that no tensor claims")
        return _of_json(tensor.get("data"), count).reshape(shape)
    _require("data" not in tensor, f"{INPUT} has data and binary_data_size; give one of them")
    _require(
        type(size) is int and size == len(behind) == count,
        f"binary_data_size of {INPUT} and the bytes behind the JSON must be {count}, as its shape "
        "says",
    )
    return np.frombuffer(behind, np.uint8).reshape(shape)


def _of_json(data: object, count: int) -> np.ndarray:
    _require(isinstance(data, list), f"data of {INPUT} must be a list")
    try:
        values = np.array(data)
    except ValueError:
        values = np.empty(0, object)
    _require(
        values.dtype.kind in "iu" and values.size == count,
        f"data of {INPUT} must be {count} whole numbers, as its shape says",
    )
    _require(values.min() >= 0 and values.max() <= 255, f"data of {INPUT} must be within 0..255")
    return values.astype(np.uint8)


def _wanted(asked: dict) -> dict[str, bool]:
    """Output -> whether as bytes."""
    default = _flag(_parameters(asked, "the request"), "binary_data_output", False)
    outputs = asked.get("outputs")
    if outputs is None:
        return dict.fromkeys(OUTPUTS, default)
    _require(isinstance(outputs, list), "outputs must be a list")
    wanted = {}
    for output in outputs:
        name = output.get("name") if isinstance(output, dict) else None
        _require(
            isinstance(name, str) and name in OUTPUTS and name not in wanted,
            f"outputs must name {' or '.join(OUTPUTS)}, each once",
        )
        parameters = _parameters(output, name)
        _require(
            "classification" not in parameters,
            "classification is not offered; POST /predict gives the names of classes",
        )
        wanted[name] = _flag(parameters, "binary_data", default)
    return wanted or dict.fromkeys(OUTPUTS, default)


def _parameters(holder: dict, where: str) -> dict:
    found = holder.get("parameters", {})
    _require(isinstance(found, dict), f"parameters of {where} must be an object")
    return found


def _flag(parameters: dict, name: str, default: bool) -> bool:
    value = parameters.get(name, default)
    _require(isinstance(value, bool), f"{name} must be true or false")
    return value


def _require(holds: bool, sentence: str, status: int = 400) -> None:
    if not holds:
        raise Refusal(status, sentence)


def _short(error: ValueError) -> str:
    return " ".join(str(error).split())[:200]
