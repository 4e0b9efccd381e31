"""What stands under the help of each command: examples to copy."""

from collections.abc import Mapping

EXAMPLES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "": (
        ("convatlas list resnet", "networks whose name contains resnet"),
        ("convatlas show resnet50", "its paper, layers and claims"),
        ("convatlas train lenet5", "trains on the built-in digits, in a minute"),
        ("convatlas help train", "the help of one command"),
    ),
    "list": (
        ("convatlas list", "all networks, by paper"),
        ("convatlas list resnet", "those whose name contains resnet"),
        ("convatlas list 'lenet*'", "a wildcard: those that begin with lenet"),
        ("convatlas list --year 2015 --max-params 10e6", "by year and size"),
        ("convatlas list --family densenet_cifar --json", "one file of convatlas/nets, as JSON"),
        ("convatlas list 'resnet*' --weights", "published weights, with their accuracy"),
    ),
    "show": (
        ("convatlas show resnet50", "paper, layers folded, claims"),
        ("convatlas show resnet50 --layers", "every layer on its own line"),
        ("convatlas show seresnet50", "a name of timm or torchvision: what it is here"),
        ("convatlas show lenet5 --json --layers", "all of it, for a program"),
    ),
    "cost": (
        ("convatlas cost mobilenet_v1", "by kind of layer and by stage, and in words"),
        ("convatlas cost mobilenet_v1 mobilenet_v2 mobilenet_v3_large", "side by side"),
        ("convatlas cost shufflenet_v2 resnet50 --guidelines", "memory access cost, G1 to G4"),
        ("convatlas cost 'net.py:Net(classes=10)' --size 32", "somebody's code, on 3x32x32"),
        ("convatlas cost vgg16 --json", "all of it, for a program"),
    ),
    "draw": (
        ("convatlas draw resnet50", "its stages and units, as resnet50.svg"),
        ("convatlas draw googlenet --level stage -o googlenet.pdf", "one box a stage, to print"),
        ("convatlas draw vgg16 --style volumes -o vgg16.png", "feature maps to scale"),
        ("convatlas draw resnet50 resnet50_d", "the two side by side, what differs in colour"),
        ("convatlas draw 'net.py:Net(classes=10)' --size 32", "somebody's class, on 3x32x32"),
    ),
    "diff": (
        ("convatlas diff resnet50 resnet50_v15", "one stride moves"),
        ("convatlas diff mobilenet_v1 mobilenet_v1_full_conv", "what depthwise layers save"),
        ("convatlas diff vgg16 resnet50 mobilenet_v2", "each step from one to the next"),
    ),
    "identify": (
        ("convatlas identify net.py:ResNet18", "which printed network somebody's class is"),
        ("convatlas identify 'net.py:Net(classes=10)' --size 32", "with arguments, on 3x32x32"),
        ("convatlas identify torchvision.models:resnet50", "a function of an installed package"),
        ("convatlas identify net.py:Net --against vgg16", "all that sets it apart from one"),
        ("convatlas identify model.onnx resnet50.pth", "a graph and weights, read as data"),
        ("convatlas identify homework/*.py --csv", "a table, one row for each network"),
    ),
    "verify": (
        ("convatlas verify alexnet", "one network's printed numbers"),
        ("convatlas verify", "all of them, a few minutes"),
    ),
    "scale": (
        ("convatlas scale efficientnet_b0 --phi 3", "what makes B3 of B0, beside B1 to B7"),
        ("convatlas scale efficientnet_b0 --phi 7 --json", "the same, for a program"),
    ),
    "explore": (
        ("convatlas explore", "the atlas in a browser, served on this machine"),
        ("convatlas explore resnet50", "opens the page of a network"),
        ("convatlas explore --build site", "a folder for any static host"),
        ("convatlas explore --single-file atlas.html", "one file that opens from disk"),
    ),
    "recipes": (
        ("convatlas recipes", "all of them"),
        ("convatlas recipes --network vgg16", "those that fit a network"),
        ("convatlas recipes vgg > mine.toml", "one, to change"),
    ),
    "check-data": (
        ("convatlas check-data photos", "what is wrong with a folder of images"),
        ("convatlas check-data photos --csv problems.csv", "and as a table"),
    ),
    "pack": (
        ("convatlas pack photos packed", "into a few large files; no byte of an image changes"),
        ("convatlas pack photos packed --size 256", "scaled down to a shorter side of 256"),
        ("convatlas pack shards/*.tar packed", "WebDataset's tars, read once"),
        ("convatlas train resnet18 --data packed", "as if it were the folder"),
    ),
    "lr-find": (
        ("convatlas lr-find lenet5", "a learning rate for the built-in digits"),
        ("convatlas lr-find resnet20_cifar --data photos --opt sgd", "for a folder, with SGD"),
        ("convatlas lr-find lenet5 --from 1e-4 --to 1 --steps 50", "fewer rates, closer by"),
    ),
    "train": (
        ("convatlas train lenet5", "on the built-in digits"),
        ("convatlas train resnet20_cifar --data cifar10 --download", "on a set by name"),
        ("convatlas train mobilenet_v2 --data photos --size 96", "on a folder of class folders"),
        ("convatlas train resnet50_v15 --data photos --weights torchvision", "from weights"),
        ("convatlas train vgg16 --recipe vgg --data imagenet -j 16", "as the paper trained it"),
        ("convatlas train --resume runs/mine", "goes on with a run that was stopped"),
        ("convatlas train lenet5 --remote-sync s3://mine/a", "saves in an object store, too"),
        ("convatlas train --resume s3://mine/a", "goes on from there, on any machine"),
        ("convatlas train lenet5 --log-to tensorboard", "curves for tensorboard --logdir runs"),
    ),
    "compare": (
        ("convatlas compare lenet5 lenet_caffe --seeds 6", "which is better on the digits"),
        ("convatlas compare resnet20_cifar nin_cifar10 --data photos cifar10", "on two data sets"),
        ("convatlas compare lenet5 lenet_caffe --vary lr=1e-3,3e-3", "each at its better rate"),
        ("convatlas compare --continue studies/mine", "goes on, whatever stopped it"),
        ("convatlas compare lenet5 nin --print commands", "a command a run, to run elsewhere"),
    ),
    "study": (
        ("convatlas study studies/mine", "what is done, running, failed and left"),
        ("convatlas study studies/mine --json", "the same, run by run, for a program"),
    ),
    "eval": (
        ("convatlas eval runs/mine", "on its test images"),
        ("convatlas eval runs/mine --crops 10", "as AlexNet was tested"),
        ("convatlas eval runs/mine --data other-photos --json", "on other images, as JSON"),
        ("convatlas eval resnet18 --weights torchvision --data val", "published weights"),
        ("convatlas eval lenet5.onnx --of runs/mine", "an exported file, held to its run"),
    ),
    "predict": (
        ("convatlas predict runs/mine photo.jpg", "what is on an image"),
        ("convatlas predict runs/mine folder --top 1 --json", "on all of a folder, as JSON"),
        ("convatlas predict resnet18 --weights torchvision photo.jpg", "with ImageNet's classes"),
        ("convatlas predict runs/mine --test 8", "on eight of its test images, with the truth"),
    ),
    "explain": (
        ("convatlas explain runs/mine photo.jpg", "what speaks for its answer, in explained.html"),
        ("convatlas explain runs/mine photo.jpg --class cat -o cat.png", "what speaks for a cat"),
        ("convatlas explain runs/mine --worst 9", "its worst mistakes on validation pictures"),
        ("convatlas explain runs/mine --test 4 --maps conv1 --nearest", "and what lies inside"),
        ("convatlas explain vgg16 photo.jpg --field conv5_3", "what one unit sees of a picture"),
        ("convatlas explain resnet18 --weights torchvision --filters conv1", "its first filters"),
    ),
    "report": (
        ("convatlas report runs/a runs/b runs/c", "which network is better, in report/"),
        ("convatlas report studies/digits", "of a study, in its own folder"),
        ("convatlas report runs --format latex -o paper", "a table for a paper"),
    ),
    "bench": (
        ("convatlas bench resnet18", "in every form that is installed"),
        ("convatlas bench runs/mine mine.onnx --threads 2 --json", "a run, and a file of it"),
        ("convatlas bench resnet18 --against torchvision", "beside torchvision's"),
    ),
    "export": (
        ("convatlas export runs/mine", "a file for ONNX Runtime, proved"),
        ("convatlas export runs/mine --to openvino --output mine.xml", "and for OpenVINO"),
    ),
    "serve": (
        ("convatlas serve lenet5.onnx", "answers on port 8000 of this machine"),
        ("convatlas serve lenet5.onnx resnet18.xml --port 9000", "from two files"),
        ("convatlas serve runs/mine", "from a finished run, exported first"),
    ),
    "convert": (
        ("convatlas convert resnet50.pth --network resnet50_v15", "torchvision's file to ours"),
        ("convatlas convert mine.safetensors --network vgg16 --to timm", "ours to timm's names"),
    ),
    "compress": (
        ("convatlas compress runs/mine", "prunes, shares, trains again, tests, writes one file"),
        ("convatlas compress squeezenet1_0 --weights squeeze.safetensors", "without training"),
        ("convatlas predict runs/mine/lenet5.dc photo.jpg", "the file is used as a run is"),
        ("convatlas compress squeezenet1_0.dc --output plain", "back, bit for bit"),
    ),
    "card": (
        ("convatlas card runs/mine", "what it is, how good, for what, and how it was made"),
        ("convatlas card runs/mine --license apache-2.0 -o README.md", "into a file"),
    ),
    "push": (
        ("convatlas push runs/mine me/lenet5-digits --license apache-2.0", "for everybody"),
        ("convatlas push runs/mine me/lenet5-digits --private", "for its owner alone"),
        ("convatlas push runs/mine me/lenet5-digits --folder card", "its files, sent nowhere"),
    ),
    "netadapt": (
        ("convatlas netadapt runs/mine --budget 0.7x", "to 70 % of its multiply-adds"),
        ("convatlas netadapt runs/mine --budget 2 --measure latency", "to 2 ms an image"),
        ("convatlas netadapt lenet5_tutorial --data digits --budget 0.5x", "trains it first"),
    ),
}
DEBUG = "`--debug` after any command shows where an error arose."

CODES = (
    "Exit codes: 0 done; 1 failed; 2 wrong usage; 75 stopped by a signal and saved, to be resumed; "
    "128 and the signal's number, such as 130 after Ctrl-C, interrupted with nothing to save."
)


def under(command: str) -> str:
    """The examples of a command as they stand under its help, in Markdown: a list, of which a
    narrow terminal breaks the texts and not the commands.
    """
    items = [f"- `{line}` \u2013 {what}" for line, what in EXAMPLES[command]]
    codes = [] if command else ["", CODES]
    return "\n".join(["Examples:", "", *items, "", DEBUG, *codes])
