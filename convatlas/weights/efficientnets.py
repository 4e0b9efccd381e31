"""EfficientNets in other libraries, which count their blocks through, or in five groups."""

from math import ceil

from convatlas.weights.names import Rules, Table, Twin, counted

DEPTHS = (1, 2, 2, 3, 3, 4, 1)  # units of our stages 2 to 8 in B0
FACTORS = (1.0, 1.1, 1.2, 1.4, 1.8, 2.2, 2.6, 3.1)  # of B0 to B7
STAGES = range(2, 9)
GROUPS = ((2,), (3,), (4,), (5, 6), (7, 8))  # of our stages: those of one resolution


def units(factor: float) -> dict[int, int]:
    """How many units each of our stages has."""
    return {stage: ceil(depth * factor) for stage, depth in zip(STAGES, DEPTHS, strict=True)}


def through(factor: float, template: str) -> Rules:
    """One list of all units."""
    depths = units(factor)
    return tuple(
        (
            rf"^stage{stage}\.(\d+)\.layers\.",
            counted(template, sum(depths[before] for before in range(2, stage))),
        )
        for stage in STAGES
    )


def grouped(factor: float, template: str, first: int) -> Rules:
    """A list for each resolution. `template` has a {group} and a {{}} for the unit, which counts
    from `first`.
    """
    depths = units(factor)
    return tuple(
        (
            rf"^stage{stage}\.(\d+)\.layers\.",
            counted(
                template.format(group=group), first + sum(depths[s] for s in stages if s < stage)
            ),
        )
        for group, stages in enumerate(GROUPS, start=1)
        for stage in stages
    )


LUKEMELAS: Rules = (
    (r"^stage1\.conv\.conv\.", "_conv_stem."),
    (r"^stage1\.conv\.bn\.", "_bn0."),
    (r"^stage9\.conv\.conv\.", "_conv_head."),
    (r"^stage9\.conv\.bn\.", "_bn1."),
    (r"\.expand\.conv\.", "._expand_conv."),
    (r"\.expand\.bn\.", "._bn0."),
    (r"\.depthwise\.conv\.", "._depthwise_conv."),
    (r"\.depthwise\.bn\.", "._bn1."),
    (r"\.se\.squeeze\.", "._se_reduce."),
    (r"\.se\.excite\.", "._se_expand."),
    (r"\.project\.conv\.", "._project_conv."),
    (r"\.project\.bn\.", "._bn2."),
    (r"^fc\.", "_fc."),
)
PYTORCHCV: Rules = (
    (r"^stage1\.conv\.", "features.init_block.conv."),
    (r"^stage9\.conv\.", "features.final_block."),
    (r"^(features\.stage1\..*)\.depthwise\.", r"\1.dw_conv."),
    (r"^(features\.stage1\..*)\.project\.", r"\1.pw_conv."),
    (r"\.expand\.", ".conv1."),
    (r"\.depthwise\.", ".conv2."),
    (r"\.project\.", ".conv3."),
    (r"\.se\.squeeze\.", ".se.conv1."),
    (r"\.se\.excite\.", ".se.conv2."),
    (r"^fc\.", "output.fc."),
)
MMLAB: Rules = (
    (r"^stage1\.conv\.", "backbone.layers.0."),
    (r"^stage9\.conv\.", "backbone.layers.6."),
    (r"\.expand\.", ".expand_conv."),
    (r"\.depthwise\.", ".depthwise_conv."),
    (r"\.project\.", ".linear_conv."),
    (r"\.se\.squeeze\.", ".se.conv1.conv."),
    (r"\.se\.excite\.", ".se.conv2.conv."),
    (r"^fc\.", "head.fc."),
)

# github.com/lukemelas/EfficientNet-PyTorch, the package efficientnet_pytorch
TWINS: Table = {
    f"efficientnet-b{n}": Twin(f"efficientnet_b{n}", (*through(factor, "_blocks.{}."), *LUKEMELAS))
    for n, factor in enumerate(FACTORS)
}
PYTORCHCV_TWINS: Table = {
    f"efficientnet_b{n}{form}": Twin(
        f"efficientnet_b{n}{ours}",
        (*grouped(factor, "features.stage{group}.unit{{}}.", 1), *PYTORCHCV),
    )
    for n, factor in enumerate(FACTORS)
    for form, ours in (("", "_torchvision"), ("b", ""))
}
MMLAB_TWINS: Table = {
    f"efficientnet-b{n}": Twin(
        f"efficientnet_b{n}", (*grouped(factor, "backbone.layers.{group}.{{}}.", 0), *MMLAB)
    )
    for n, factor in enumerate(FACTORS)
}
