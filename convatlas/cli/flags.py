"""Flags that several commands have, each with its help."""

from typing import Annotated

from cyclopts import Parameter

Weights = Annotated[
    str | None,
    Parameter(
        help="Published weights, or a file of them, where a network is named instead of a run: "
        "torchvision, hub:owner/name or FILE; see `convatlas list --weights`."
    ),
]
Source = Annotated[
    str | None,
    Parameter(
        help="Where such a file comes from, such as timm or timm:tf_efficientnet_b0, where its "
        "names fit several networks."
    ),
]
Device = Annotated[
    str,
    Parameter(
        help="Where to answer: cpu, cuda, cuda:1, mps, or auto, the best that there is [cpu]."
    ),
]
Engine = Annotated[
    str | None,
    Parameter(
        help="What counts on the processor: torch, onnxruntime, openvino, ncnn, or auto, the "
        "fastest that is installed; compared with torch first, and remembered [torch, as in "
        "training]."
    ),
]
Bf16 = Annotated[
    bool,
    Parameter(help="With --engine: bfloat16 too, where it is faster; answers differ a little."),
]
