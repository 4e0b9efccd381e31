"""`python -m convatlas.index`: measures every network and renews the index."""

from convatlas.index import HERE, write

names = write()
print(
    f"{len(names)} networks measured; wrote catalogue.json and layers/ in {HERE}, and "
    "weights/known.json"
)
