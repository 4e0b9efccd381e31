"""What is printed of the networks of nets/zfnet.py."""

from convatlas.claim import Claim, each, table

CAPTION = "Figure 3, caption"
SHARED = (
    Claim("layers", "8", f"{CAPTION}: our 8 layer convnet model"),
    Claim("size", "3x224x224", f"{CAPTION}: 3 color planes", "input"),
    *table(
        "Figure 3",
        "kernel stride filters",
        {"conv1": "7x7 2 96", "conv2": "5x5 2 256"},
    ),
    *each("stride", "Sec. 5.1: stride 2 in layers 1 & 2", {"conv1": "2", "conv2": "2"}),
    *table(
        f"{CAPTION}: max within 3x3 regions, using stride 2",
        "kernel stride",
        {"pool1": "3x3 2", "pool2": "3x3 2", "pool5": "3x3 2"},
    ),
    Claim("size", "96x55x55", f"{CAPTION}: 96 different 55 by 55 element feature maps", "norm1"),
    *each(
        "size",
        "Figure 3",
        {"conv1": "110x110", "conv2": "26x26", "pool2": "13x13", "conv5": "13x13", "pool5": "6x6"},
    ),
    *each(
        "groups",
        "Sec. 3: the sparse connections are replaced with dense ones",
        {"conv3": "1", "conv4": "1", "conv5": "1"},
    ),
    Claim("nonlinearity", "ReLU", "Sec. 2: relu(x) = max(x, 0)"),
)


def line(place: str, maps: tuple[str, str, str], units: str) -> tuple[Claim, ...]:
    """One of Table 3's lines, or Figure 3."""
    return (
        *SHARED,
        *each("filters", place, dict(zip(("conv3", "conv4", "conv5"), maps, strict=True))),
        *each("units", place, {"fc6": units, "fc7": units}),
    )


FIGURE = ("384", "384", "256")
WIDE = ("512", "1024", "512")
BOOK = {  # maps there and back, and what each layer learns
    "conv1": ("96x110x110", "14,208"),
    "pool1": ("96x55x55", ""),
    "conv2": ("256x26x26", "614,656"),
    "pool2": ("256x13x13", ""),
    "conv3": ("384x13x13", "885,120"),
    "conv4": ("384x13x13", "1,327,488"),
    "conv5": ("256x13x13", "884,992"),
    "pool5": ("256x6x6", ""),
    "fc6": ("", "37,752,832"),
    "fc7": ("", "16,781,312"),
    "fc8": ("", "4,097,000"),
}
CLAIMS = {
    "zfnet": (
        *line("Figure 3", FIGURE, "4096"),
        Claim("units", "9216", f"{CAPTION}: 6 x 6 x 256 = 9216 dimensions", "pool5"),
        Claim("params", "62,357,608", "Table 1.4", by="medical care"),
        *(
            Claim(quantity, number, "Table 1.4", part, by="medical care")
            for part, numbers in BOOK.items()
            for quantity, number in zip(("size", "params"), numbers, strict=True)
            if number
        ),
    ),
    "zfnet_fc2048": line("Table 3: layers 6,7: 2048 units", FIGURE, "2048"),
    "zfnet_fc8192": line("Table 3: layers 6,7: 8192 units", FIGURE, "8192"),
    "zfnet_512_1024_512": line("Table 3: layers 3,4,5: 512,1024,512 maps", WIDE, "4096"),
    "zfnet_512_1024_512_fc8192": line(
        "Table 3: layers 6,7: 8192 units and layers 3,4,5: 512,1024,512 maps", WIDE, "8192"
    ),
}
