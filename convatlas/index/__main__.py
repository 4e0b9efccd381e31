"""`python -m convatlas.index [NAME ...]`: measures networks again and renews the index."""

import argparse
import sys
import time

from convatlas.index import HERE, graphs, walks, wanted, wirings, write, write_functions

parser = argparse.ArgumentParser(
    prog="python -m convatlas.index",
    description="Measure networks again and renew what `list`, `show` and the golden tests know.",
)
parser.add_argument(
    "names",
    nargs="*",
    metavar="NAME",
    help="a network, or a file of convatlas/nets for all of its networks; without one, all",
)
parser.add_argument(
    "--functions", action="store_true", help="renew functions/NAME.json only, and nothing else"
)
parser.add_argument(
    "--wirings", action="store_true", help="renew wirings.json only, which `identify` reads"
)
parser.add_argument(
    "--graphs", action="store_true", help="renew graphs/NAME.json only, which pictures are drawn of"
)
parser.add_argument(
    "--walks", action="store_true", help="renew walks/NAME.json only, which `diff` reads"
)
given, began = parser.parse_args(), time.perf_counter()
alone = {
    "functions": write_functions,
    "wirings": wirings.write,
    "graphs": graphs.renew,
    "walks": walks.write,
}
renew = next((alone[what] for what in alone if getattr(given, what)), write)
try:
    names = wanted(given.names) if given.names else None
    total = len(renew(names, tell=lambda line: print(line, flush=True)))
except ValueError as error:
    sys.exit(f"the index is as it was: {error}")
except KeyboardInterrupt:
    sys.exit("interrupted; the index is as it was")
print(
    f"{total if names is None else len(names)} of {total} networks measured in "
    f"{time.perf_counter() - began:.0f} s; {HERE} is renewed. `python -m convatlas.pages` renews "
    "the documents."
)
