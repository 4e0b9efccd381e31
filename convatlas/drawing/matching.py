"""Which wire from above belongs to which place where wires enter a box."""

from convatlas.drawing.block import End, Ends


def crossed(heads: Ends, tails: Ends) -> bool:
    """Whether more of the wires from tails to the heads of the same key would cross than not."""
    links = [(head.x, tail.x) for tail, head in matched(tails, heads)]
    order = sum((a - c) * (b - d) for i, (a, b) in enumerate(links) for c, d in links[i + 1 :])
    return order < 0


def matched(tails: Ends, heads: Ends) -> list[tuple[End, End]]:
    """Each tail with each head of the same key; those of no common key in their order."""
    known = {head.key for head in heads} & {tail.key for tail in tails} - {None}
    pairs = [(tail, head) for tail in tails for head in heads if tail.key == head.key in known]
    tails, heads = ([end for end in ends if end.key not in known] for ends in (tails, heads))
    if heads and tails:
        pairs += [(tail, heads[min(number, len(heads) - 1)]) for number, tail in enumerate(tails)]
        pairs += [(tails[-1], head) for head in heads[len(tails) :]]
    return pairs
