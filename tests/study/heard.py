"""What an observer of a study hears."""

from convatlas.study.watching import Observer


class Heard(Observer):
    """Keeps it all; runs by their names, or by the `key` of their lines."""

    def __init__(self, key: str = "run"):
        self.key, self.ends, self.moves, self.notes = key, [], [], []

    def ended(self, line, word, sentence=""):
        self.ends.append((getattr(line, self.key), word, sentence))

    def moved(self, line, epoch, epochs, score):
        self.moves.append((getattr(line, self.key), epoch, epochs, score))

    def note(self, text):
        self.notes.append(text)
