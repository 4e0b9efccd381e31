"""Why a request is not answered."""


class Refusal(Exception):
    """An HTTP status and a sentence for the client, which names nothing of this machine."""

    def __init__(self, status: int, sentence: str, headers: dict[str, str] | None = None):
        super().__init__(sentence)
        self.status, self.sentence, self.headers = status, sentence, headers or {}
