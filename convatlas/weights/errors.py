"""What this room says when a checkpoint cannot be used."""


class WeightsError(ValueError):
    """A checkpoint that is refused: which file, what is wrong, the remedy."""
