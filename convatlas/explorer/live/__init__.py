"""Networks that run in the page: their weights, each as a short program for the page's
interpreter, and their pages.

Belongs here: what the page needs of a trained network. The interpreter itself is static/live. In
weights/ lie, for each network, NAME.safetensors (16 bits a weight), NAME.json (what it was trained
on and by what, how good it is with these very weights, whose data) and NAME.program.json;
`python -m benchmarks.live RUN` writes them. Examples are drawn in the page: no picture of any set
is kept.
"""


def files():
    """The part's paths in the site, and what makes their bytes."""
    from convatlas.explorer.live import pages

    return pages.files()
