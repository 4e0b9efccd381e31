"""The feature maps of a network's stages, for an image."""

import torch.nn as nn
from torch import Tensor


def features(net: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """What each of `net.stages` gives out for x, (N, C, H, W), in that order; gradients flow as
    they do in net(x).

    Raises ValueError where a network names no stages, or one that does not run.
    """
    stages = getattr(net, "stages", ())
    if not stages:
        raise ValueError(
            f"{type(net).__name__} names no stages; features() reads the modules listed in "
            "net.stages"
        )
    seen, handles = {}, []
    try:
        for stage in stages:
            layer = net.get_submodule(stage)
            handles.append(
                layer.register_forward_hook(
                    lambda _, args, out, stage=stage: seen.update({stage: out})
                )
            )
        net(x)
    finally:
        for handle in handles:
            handle.remove()
    missing = [stage for stage in stages if stage not in seen]
    if missing:
        raise ValueError(
            f"{type(net).__name__} never ran its stage {missing[0]!r}; correct net.stages"
        )
    return {stage: seen[stage] for stage in stages}
