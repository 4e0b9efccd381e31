"""Which places of a map speak for a class: CAM, Grad-CAM and Grad-CAM++.

CAM: Zhou, Khosla, Lapedriza, Oliva, Torralba, "Learning Deep Features for Discriminative
Localization", CVPR 2016. Grad-CAM: Selvaraju et al., ICCV 2017, equations 1 and 2. Grad-CAM++:
Chattopadhay, Sarkar, Howlader, Balasubramanian, WACV 2018, equations 10 and 11, with exp(S) of a
class's score S as the paper takes it.

Functions of any torch.nn.Module that answers with class scores; all run in evaluation mode, and
leave the module as it was.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn
from torch import Tensor

from convatlas.errors import InputError
from convatlas.explanation.heads import head_of
from convatlas.explanation.watching import (
    Target,
    called,
    layer_path,
    targets_of,
    watch,
    watch_with_gradients,
)


@dataclass(frozen=True, eq=False)
class ClassMaps:
    """Where the evidence for a class lies, for each image of a batch.

    maps: (N, h, w), in the network's own precision and the method's own units, at the resolution
    of the layer (of the input, for occlusion). targets: (N,), the classes. scores: (N,), what the
    network gives those classes. bias: (N,), what of the score lies in no place: 0 but for CAM,
    where maps.mean((1, 2)) + bias == scores. layer: its path, "" for occlusion.
    """

    maps: np.ndarray
    targets: np.ndarray
    scores: np.ndarray
    bias: np.ndarray
    layer: str

    def heat(self, size: tuple[int, int]) -> np.ndarray:
        """float32 (N, *size) in [0, 1]: what speaks for the class, 1 at its strongest place;
        scaled bilinearly. All 0 where nothing does.
        """
        maps = torch.from_numpy(self.maps).float().clamp_min(0)[:, None]
        large = nn.functional.interpolate(maps, size, mode="bilinear", align_corners=False)[:, 0]
        top = large.amax((1, 2), keepdim=True)
        return torch.where(top > 0, large / top, 0.0).clamp(0, 1).numpy()


def cam(net: nn.Module, x: Tensor, target: Target = None) -> ClassMaps:
    """Class activation maps, for networks that end in a global average and one linear layer: the
    weighted sum of the last maps, whose mean and the bias are the class's score exactly.

    x: (N, C, H, W), prepared as the network expects. Raises InputError for any other network, for
    which the sum would not be its score.
    """
    head = head_of(net, x)
    if head is None:
        raise InputError(
            f"{called(net)} does not end in a global average and one linear layer, so that its "
            "class activation map would not add up to its score; use gradcam"
        )
    seen = watch(net, x, head.path)
    targets = targets_of(net, seen.logits, target)
    if head.weight is None:  # the maps are the classes' own
        maps = seen.maps[torch.arange(len(targets)), targets]
        bias = torch.zeros_like(maps[:, 0, 0])
    else:
        maps = torch.einsum("nc,nchw->nhw", head.weight[targets], seen.maps)
        bias = torch.zeros_like(maps[:, 0, 0]) if head.bias is None else head.bias[targets]
    return _class_maps(maps, targets, seen.logits, head.path, bias)


def grad_cam(
    net: nn.Module, x: Tensor, target: Target = None, layer: str | nn.Module | None = None
) -> ClassMaps:
    """ReLU of the layer's maps, each weighted by the mean gradient of the class's score to it.

    x: (N, C, H, W), prepared as the network expects; `layer` a path or a module, by default the
    network's `cam_layer`. Raises InputError for an unknown layer or class.
    """
    maps, gradients, targets, logits, path = gradients_at(net, x, target, layer)
    weights = gradients.mean((2, 3), keepdim=True)
    return _class_maps((weights * maps).sum(1).relu(), targets, logits, path)


def grad_cam_pp(
    net: nn.Module, x: Tensor, target: Target = None, layer: str | nn.Module | None = None
) -> ClassMaps:
    """Grad-CAM++: the gradient of each place counts by its share in the second and third
    derivatives, so that several objects of a class light up, not only the largest.

    Arguments and errors as for `grad_cam`. The factor exp(score), one for the whole map, is left
    out, for it would overflow.
    """
    maps, gradients, targets, logits, path = gradients_at(net, x, target, layer)
    square, cube = gradients**2, gradients**3
    below = 2 * square + maps.sum((2, 3), keepdim=True) * cube
    alpha = torch.where(below != 0, square / torch.where(below != 0, below, 1), 0)
    weights = (alpha * gradients.relu()).sum((2, 3), keepdim=True)
    return _class_maps((weights * maps).sum(1).relu(), targets, logits, path)


def gradients_at(net: nn.Module, x: Tensor, target: Target, layer: str | nn.Module | None) -> tuple:
    """(maps, the gradients of the targets' scores to them, targets, logits, the layer's path)."""
    path = layer_path(net, layer)
    seen = watch_with_gradients(net, x, path)
    if not seen.logits.requires_grad:
        raise InputError(
            f"the class scores of {called(net)} do not depend on the layer {path!r}; choose another"
        )
    with torch.inference_mode(False), torch.enable_grad():  # wherever we are called
        targets = targets_of(net, seen.logits, target)
        score = seen.logits.gather(1, targets[:, None]).sum()
        (gradients,) = torch.autograd.grad(score, seen.maps)
    return seen.maps.detach(), gradients, targets, seen.logits.detach(), path


def _class_maps(
    maps: Tensor, targets: Tensor, logits: Tensor, path: str, bias: Tensor | None = None
) -> ClassMaps:
    scores = logits.gather(1, targets[:, None])[:, 0]
    bias = torch.zeros_like(scores) if bias is None else bias
    arrays = (part.detach().cpu().numpy() for part in (maps, targets, scores, bias))
    return ClassMaps(*arrays, path)
