"""Names and shapes of the layers that were released for Caffe, typed from their prototxts."""

import re

import caffe

Shapes = dict[str, tuple[int, ...]]
PARTS = ("weight", "bias")


def conv(name: str, c: int, c_in: int, k: int = 1, bias: bool = True) -> Shapes:
    return {f"{name}.weight": (c, c_in, k, k)} | ({f"{name}.bias": (c,)} if bias else {})


def dense(name: str, c: int, c_in: int) -> Shapes:
    return {f"{name}.weight": (c, c_in), f"{name}.bias": (c,)}


def norm(bn: str, scale: str, c: int) -> Shapes:
    return {f"{bn}.{part}": (c,) for part in ("running_mean", "running_var")} | {
        f"{scale}.{part}": (c,) for part in ("weight", "bias")
    }


def plain(sizes: str) -> Shapes:
    """ "conv1:96,3,11 ...": a convolution with three sizes, an inner product with two."""
    found = {}
    for name, numbers in re.findall(r"(\S+):(\S+)", sizes):
        c = tuple(map(int, numbers.split(",")))
        found |= conv(name, *c) if len(c) == 3 else dense(name, *c)
    return found


def vgg(counts: tuple[int, ...]) -> Shapes:
    found, c_in = {}, 3
    for block, (count, c) in enumerate(zip(counts, (64, 128, 256, 512, 512), strict=True), start=1):
        for i in range(1, count + 1):
            found |= conv(f"conv{block}_{i}", c, c_in, 3)
            c_in = c
    return found | plain("fc6:4096,25088 fc7:4096,4096 fc8:1000,4096")


def squeezenet(first: int, k: int) -> Shapes:
    found, c_in = conv("conv1", first, 3, k), first
    for i, squeeze in enumerate((16, 16, 32, 32, 48, 48, 64, 64), start=2):
        found |= conv(f"fire{i}/squeeze1x1", squeeze, c_in)
        found |= conv(f"fire{i}/expand1x1", 4 * squeeze, squeeze)
        found |= conv(f"fire{i}/expand3x3", 4 * squeeze, squeeze, 3)
        c_in = 8 * squeeze
    return found | conv("conv10", 1000, 512)


def resnet(depths: tuple[int, ...], bias: bool) -> Shapes:
    found = conv("conv1", 64, 3, 7, bias) | norm("bn_conv1", "scale_conv1", 64)
    c_in = 64
    for stage, (depth, c) in enumerate(zip(depths, (64, 128, 256, 512), strict=True), start=2):
        many = depth > 6 or (stage == 3 and depths[2] > 6)  # then res3a, res3b1, res3b2, ...
        for i in range(depth):
            unit = f"{stage}{f'b{i}' if many and i else 'abcdef'[i]}"
            sides = [("2a", c, c_in, 1), ("2b", c, c, 3), ("2c", 4 * c, c, 1)]
            for branch, out, c_of, k in sides + ([("1", 4 * c, c_in, 1)] if i == 0 else []):
                place = f"{unit}_branch{branch}"
                found |= conv(f"res{place}", out, c_of, k, bias=False)
                found |= norm(f"bn{place}", f"scale{place}", out)
            c_in = 4 * c
    return found | dense("fc1000", 1000, 2048)


def under(name: str, c: int, c_in: int, k: int = 1) -> Shapes:
    """SENet's and Shicai's way, where `name` holds an ending for each."""
    bn, scale = ("/bn", "/bn/scale") if name[-1] == "!" else ("/bn", "/scale")
    name = name.rstrip("!")
    return conv(name, c, c_in, k, bias=False) | norm(name + bn, name + scale, c)


def gate(name: str, c: int) -> Shapes:
    return conv(f"{name}_1x1_down", c // 16, c) | conv(f"{name}_1x1_up", c, c // 16)


def se_resnet(depths: tuple[int, ...], widths: tuple[int, int], groups: int = 1) -> Shapes:
    """`widths` of the first stage's first two layers."""
    if widths[0] == widths[1]:
        found, c_in = under("conv1/7x7_s2!", 64, 3, 7), 64
    else:  # SENet-154
        found = under("conv1_1/3x3_s2!", 64, 3, 3) | under("conv1_2/3x3!", 64, 64, 3)
        found, c_in = found | under("conv1_3/3x3!", 128, 64, 3), 128
    for stage, depth in enumerate(depths, start=2):
        first, second, c = (n << stage - 2 for n in (*widths, 256))
        for i in range(1, depth + 1):
            place = f"conv{stage}_{i}"
            found |= under(f"{place}_1x1_reduce!", first, c_in)
            found |= under(f"{place}_3x3!", second, first // groups, 3)
            found |= under(f"{place}_1x1_increase!", c, second) | gate(place, c)
            if i == 1:
                strided = widths[0] != widths[1] and stage > 2
                found |= under(f"{place}_1x1_proj!", c, c_in, 3 if strided else 1)
            c_in = c
    return found | dense("classifier", 1000, 2048)


def se_bn_inception() -> Shapes:
    found = under("conv1/7x7_s2!", 64, 3, 7) | under("conv2/3x3_reduce!", 64, 64)
    found |= under("conv2/3x3!", 192, 64, 3)
    c_in = 192
    for name, one, reduce, three, reduce2, double, proj in caffe.BN_INCEPTION:
        place = f"inception_{name}"
        found |= under(f"{place}/1x1!", one, c_in) if one else {}
        found |= under(f"{place}/3x3_reduce!", reduce, c_in)
        found |= under(f"{place}/3x3!", three, reduce, 3)
        found |= under(f"{place}/double3x3_reduce!", reduce2, c_in)
        found |= under(f"{place}/double3x3a!", double, reduce2, 3)
        found |= under(f"{place}/double3x3b!", double, double, 3)
        found |= under(f"{place}/pool_proj!", proj, c_in) if proj else {}
        c_in = one + three + double + (proj or c_in)
        found |= gate(place, c_in)
    return found | dense("classifier", 1000, 1024)


def densenet(first: int, k: int, depths: tuple[int, ...]) -> Shapes:
    found, c = under("conv1", first, 3, 7), first
    for block, depth in enumerate(depths, start=2):
        for i in range(1, depth + 1):
            place = f"conv{block}_{i}"
            for layer, c_in, out, side in (("x1", c, 4 * k, 1), ("x2", 4 * k, k, 3)):
                found |= norm(f"{place}/{layer}/bn", f"{place}/{layer}/scale", c_in)
                found |= conv(f"{place}/{layer}", out, c_in, side, bias=False)
            c += k
        found |= norm(f"conv{block}_blk/bn", f"conv{block}_blk/scale", c)
        if block < 5:
            found |= conv(f"conv{block}_blk", c // 2, c, bias=False)
            c //= 2
    return found | conv("fc6", 1000, c)


MOBILENET = (  # name, width, stride
    *(("2_1", 64, 1), ("2_2", 128, 2), ("3_1", 128, 1), ("3_2", 256, 2), ("4_1", 256, 1)),
    *(
        ("4_2", 512, 2),
        *((f"5_{i}", 512, 1) for i in range(1, 6)),
        ("5_6", 1024, 2),
        ("6", 1024, 1),
    ),
)


def mobilenet() -> Shapes:
    found, c_in = under("conv1", 32, 3, 3), 32
    for name, c, _ in MOBILENET:
        found |= under(f"conv{name}/dw", c_in, 1, 3) | under(f"conv{name}/sep", c, c_in)
        c_in = c
    return found | conv("fc7", 1000, 1024)


def googlenet() -> Shapes:
    found = plain("conv1/7x7_s2:64,3,7 conv2/3x3_reduce:64,64,1 conv2/3x3:192,64,3")
    c_in = 192
    for name, one, reduce3, three, reduce5, five, proj in caffe.GOOGLENET:
        p = f"inception_{name}"
        found |= conv(f"{p}/1x1", one, c_in) | conv(f"{p}/pool_proj", proj, c_in)
        found |= conv(f"{p}/3x3_reduce", reduce3, c_in) | conv(f"{p}/3x3", three, reduce3, 3)
        found |= conv(f"{p}/5x5_reduce", reduce5, c_in) | conv(f"{p}/5x5", five, reduce5, 5)
        c_in = one + three + five + proj
    for head, c in (("loss1", 512), ("loss2", 528)):
        found |= plain(f"{head}/conv:128,{c},1 {head}/fc:1024,2048 {head}/classifier:1000,1024")
    return found | dense("loss3/classifier", 1000, 1024)


NIN = (
    "conv1:96,3,11 cccp1:96,96,1 cccp2:96,96,1 conv2:256,96,5 cccp3:256,256,1 cccp4:256,256,1 "
    "conv3:384,256,3 cccp5:384,384,1 cccp6:384,384,1 conv4-1024:1024,384,3 cccp7-1024:1024,1024,1 "
    "cccp8-1024:1000,1024,1"
)
CIFAR_NIN = (
    "conv1:192,3,5 cccp1:160,192,1 cccp2:96,160,1 conv2:192,96,5 cccp3:192,192,1 cccp4:192,192,1 "
    "conv3:192,192,3 cccp5:192,192,1 cccp6:10,192,1"
)
ALEXNET = (
    "conv1:96,3,11 conv2:256,48,5 conv3:384,256,3 conv4:384,192,3 conv5:256,192,3 fc6:4096,9216 "
    "fc7:4096,4096 fc8:1000,4096"
)
RELEASED = {
    "LeNet": plain("conv1:20,1,5 conv2:50,20,5 ip1:500,800 ip2:10,500"),
    "bvlc_alexnet": plain(ALEXNET),
    "bvlc_googlenet": googlenet(),
    "VGG_ILSVRC_16_layers": vgg((2, 2, 3, 3, 3)),
    "VGG_ILSVRC_19_layers": vgg((2, 2, 4, 4, 4)),
    "nin_imagenet": plain(NIN),
    "cifar10_nin": plain(CIFAR_NIN),
    "squeezenet_v1.0": squeezenet(96, 7),
    "squeezenet_v1.1": squeezenet(64, 3),
    "ResNet-50": resnet((3, 4, 6, 3), bias=True),
    "ResNet-101": resnet((3, 4, 23, 3), bias=False),
    "ResNet-152": resnet((3, 8, 36, 3), bias=False),
    "SE-ResNet-50": se_resnet((3, 4, 6, 3), (64, 64)),
    "SE-ResNet-101": se_resnet((3, 4, 23, 3), (64, 64)),
    "SE-ResNet-152": se_resnet((3, 8, 36, 3), (64, 64)),
    "SE-ResNeXt-50": se_resnet((3, 4, 6, 3), (128, 128), 32),
    "SE-ResNeXt-101": se_resnet((3, 4, 23, 3), (128, 128), 32),
    "SENet-154": se_resnet((3, 8, 36, 3), (128, 256), 64),
    "SE-BN-Inception": se_bn_inception(),
    "DenseNet_121": densenet(64, 32, (6, 12, 24, 16)),
    "DenseNet_161": densenet(96, 48, (6, 12, 36, 24)),
    "DenseNet_169": densenet(64, 32, (6, 12, 32, 32)),
    "DenseNet_201": densenet(64, 32, (6, 12, 48, 32)),
    "mobilenet": mobilenet(),
}
