"""The page that lists whose checkpoints load into which network."""

from convatlas.pages.markdown import code, document, link, paragraph, table
from convatlas.weights.hub import published
from convatlas.weights.known import OURS, Known, known_checkpoints

SOURCES = {
    "torchvision": "torchvision's models",
    "timm": "timm's models (github.com/huggingface/pytorch-image-models)",
    "mmpretrain": "MMLab's classifiers (github.com/open-mmlab/mmpretrain, formerly mmcls)",
    "pytorchcv": "pytorchcv (github.com/osmr/imgclsmob)",
    "pretrainedmodels": "Cadene's models (github.com/Cadene/pretrained-models.pytorch)",
    "efficientnet_pytorch": "github.com/lukemelas/EfficientNet-PyTorch",
    "akamaster": "github.com/akamaster/pytorch_resnet_cifar10",
    "res2net": "github.com/Res2Net/Res2Net-PretrainedModels",
    "resnest": "github.com/zhanghang1989/ResNeSt",
    "wsl": "github.com/facebookresearch/WSL-Images",
    "convnext": "github.com/facebookresearch/ConvNeXt",
    "tensorflow": "TensorFlow's checkpoints of github.com/tensorflow/models research/slim and "
    "github.com/tensorflow/tpu models/official/efficientnet: NAME.index with "
    "NAME.data-00000-of-00001, or their variables in a .npz (`numpy.savez('a.npz', "
    "**{name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()})` of a "
    "`tf.train.load_checkpoint`). Give `num_classes=1001` for slim's, whose class 0 is the "
    "background, and pixels from -1 to 1",
    "caffe": "Networks released for Caffe, as .caffemodel with layers of either format: Caffe's "
    "own (github.com/BVLC/caffe), Oxford's VGGs, NiN's, SqueezeNet's, ResNet's, SENet's and "
    "Shicai Yang's DenseNets and MobileNet, by the layers of their prototxts; also files of ONNX "
    "that Caffe2 made of them (`conv1_w_0`). The sums of a BatchNorm are divided by their number. "
    "Caffe reads blue, green, red: the first convolution is turned round, so give red, green, "
    "blue, less the means that the certificate names (of a mean image, its channels' means). "
    "Classes stand in torchvision's order. AlexNet's and GoogLeNet's local normalisation has "
    "other constants there (k = 1, alpha / 5): the layers around it are scaled, so that ours "
    "answers alike. CaffeNet, which pools before it normalises, is refused",
    "keras": "Models of keras.applications (github.com/keras-team/keras, src/applications): "
    "weights as .h5 of Keras 1, 2 or 3 or as .weights.h5 of Keras 3, and models as .keras or .h5, "
    "alone or as a layer of another model, under today's names of layers; "
    "`Xception_2017` is the published file, whose layers have none. Reading them needs h5py "
    "(the extra `keras`). A bias in front of a norm and another epsilon become a part of the "
    "norm's mean and variance, so that ours answers alike. The certificate says how pixels must "
    "be standardised: VGGs and ResNets want Caffe's means (their first layer, which reads blue "
    "first, is turned round), DenseNets ImageNet's mean and std, all others pixels from -1 to 1, "
    "but EfficientNets made without ImageNet's weights, which want pixels from 0 to 1. Classes "
    "stand in torchvision's order. Inceptions have no auxiliary head there. MobileNetV3s "
    "multiply gates by 1/6 there, in the authors' code and here by 0.16667, which moves logits "
    "by some 0.000005 of the largest",
    "tflite": "The released MobileNets as models of TensorFlow Lite (.tflite), in single or half "
    "precision, recognised by their layers in the order of running, with their activations and "
    "borders, not by names. Norms are folded into the convolutions of such a file: the network "
    "loaded answers alike, but its norms only add their biases, so it should be trained with "
    "norms frozen; the certificate says so. `_linear` has a linear layer for its classifier, as "
    "Keras has, `_joined` the gates' shift by 3 in the biases before, as the converter leaves "
    "it. Quantised models are refused, for integers answer otherwise. Pixels from -1 to 1; give "
    "`num_classes=1001` for TF-slim's, whose class 0 is the background",
}


def checkpoints() -> str:
    kinds = [
        kind for group in known_checkpoints().values() for kind in group if kind.source != OURS
    ]
    blocks = [
        block
        for source, title in SOURCES.items()
        for block in (
            f"## {source}",
            paragraph(title + "."),
            _table([kind for kind in kinds if kind.source == source]),
        )
    ]
    timms = [kind for kind in kinds if kind.source == "timm"]
    return document(
        "# Checkpoints",
        paragraph(
            f"{len(kinds)} kinds of checkpoint that other people publish, and the network here "
            "with the same graph. `convatlas.load_weights` recognises them by the names and shapes "
            "in the file, whatever the number of classes and channels, and refuses all others; "
            "`convatlas convert` writes them back. `create_model(NAME, num_classes=10, "
            "in_channels=1, weights=FILE)` and `convatlas train NAME --weights FILE` keep all but "
            "a classifier of other classes and adapt the first convolution to other channels. "
            "Where the names in a file fit several networks, `source` says whose it is "
            "(`timm`, or `timm:resnet50`). A tag after timm's name (`.a1_in1k`) tells the "
            f"training, not the graph. A prefix that all names share is left out, and a trunk "
            "without its classifier loads where `num_classes` is given; an average beside the raw "
            "weights is said, and read with `ema=True` (`convert --ema`, `train --weights-ema`). "
            f"What is not here: {link('near misses', 'near_misses.md')}."
        ),
        paragraph(
            "A network in ONNX loads as the .pth that it was exported from, by the same names, "
            "where the exporter left them: its initialisers and constants are read, matrices that "
            "stand input by output are turned, and equal weights found by their second names. "
            "`torch.onnx.export` keeps names and norms with `dynamo=True, optimize=False`, or with "
            "`dynamo=False, training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False`; "
            "by default it folds norms into convolutions, and such a file, a quantised one or one "
            "whose weights stand in another file is refused with the reason."
        ),
        "Written by `make docs`; do not edit.",
        *blocks,
        "## Published weights by a word",
        paragraph(
            "`torchvision` stands for the best weights that torchvision publishes for a network, "
            "`torchvision:IMAGENET1K_V1` or `torchvision:IMAGENET1K_V2` for one entry; a wrong one "
            "is refused with those that exist. Its `googlenet` and `inception_v3` answer as "
            "published only to pixels standardised with mean 0.5 and std 0.5, for its own modules "
            "standardise ImageNet's anew (`transform_input`); the certificate says so. timm's are "
            "on the Hugging Face hub:"
        ),
        _hub(timms),
    )


def _table(kinds: list[Known]) -> str:
    return table(
        {"theirs": "left", "here": "left"},
        [
            (code(kind.theirs), code(kind.ours))
            for kind in sorted(kinds, key=lambda kind: kind.theirs)
        ],
    )


def _hub(kinds: list[Known]) -> str:
    words = published()
    rows = [
        (code(word), code(kind.ours))
        for kind in sorted(kinds, key=lambda kind: kind.theirs)
        for word in words[kind.theirs]
    ]
    return table({"weights=": "left", "here": "left"}, rows)
