"""The tables of names, by source. A source's older spellings, and what PyTorch's wrappers leave
inside a name, are brought up to date before a table is asked.
"""

import re
from collections.abc import Mapping

from torch import Tensor

from convatlas.weights import (
    authors,
    cadene,
    caffe,
    efficientnets,
    keras_networks,
    mmlab,
    pytorchcv,
    tensorflow,
    tflite_networks,
    timm,
    torchvision,
)
from convatlas.weights.names import Rules, Table

TABLES: Mapping[str, Table] = {
    "torchvision": torchvision.TWINS,
    "timm": timm.TWINS,
    "mmpretrain": mmlab.TWINS,
    "pytorchcv": pytorchcv.TWINS,
    "pretrainedmodels": cadene.TWINS,
    "efficientnet_pytorch": efficientnets.TWINS,
    **authors.SOURCES,
    "tensorflow": tensorflow.TWINS,
    "caffe": caffe.TWINS,
    "keras": keras_networks.TWINS,
    "tflite": tflite_networks.TWINS,
}
WRAPPED: Rules = ((r"(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.", ""),)
OUTPUT: Rules = ((r":0$", ""),)  # of a TensorFlow operation, which some write behind a variable
OLDER: Rules = (*torchvision.OLDER, *WRAPPED, *OUTPUT)
SURPLUS = sorted({twin.surplus for table in TABLES.values() for twin in table.values()} - {""})


def up_to_date(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under the names that their source gives them today."""
    renamed = {}
    for name, tensor in tensors.items():
        for pattern, replacement in OLDER:
            name = re.sub(pattern, replacement, name)
        renamed[name] = tensor
    return renamed if len(renamed) == len(tensors) else dict(tensors)
