"""What a pasted link shows."""

import io

import pytest
from PIL import Image

from convatlas.errors import RunError
from convatlas.explorer import contents
from convatlas.explorer.previews import with_previews


def test_every_page_names_a_picture_that_is_there():
    site = with_previews(contents.site(), "https://example.org/atlas/")
    for path, paper in (
        ("networks/resnet101.html", "resnet"),
        ("papers/vgg.html", "vgg"),
        ("index.html", "resnet"),
    ):
        named = f'<meta property=og:image content="https://example.org/atlas/previews/{paper}.png">'
        assert named.encode() in site[path](), path
    shown = Image.open(io.BytesIO(site["previews/lenet5.png"]()))
    assert shown.size == (1200, 630) and len(set(shown.convert("L").getdata())) > 2


@pytest.mark.parametrize("address", ["atlas", "file:///tmp", "https://", "https://a.org/?x=1"])
def test_what_is_no_address_is_one_sentence(address):
    with pytest.raises(RunError, match="--address takes"):
        with_previews({}, address)
