"""What a framework's module makes: something that answers calls."""


class Model:
    platform = ""
    # Requests may be joined along axis 0.
    batch = False
    explains = False
    generative = False
    # As GET /v2/models/NAME shows them; empty where they are not known.
    inputs: list = []
    outputs: list = []

    def infer(self, call):
        """Answers a call.

        Returns the outputs of all its requests together as `{name: array}`, or a list with one answer per request:
        `{name: array}`, a `Json`, or an exception.
        """
        raise NotImplementedError

    def warm_up(self):
        """Answers something made up, so that the first request finds all as fast as the next ones do."""

    def openai(self, route, body, stream, exchange, cancelled):
        """Answers a call of OpenAI's routes, to `exchange`; soon after `cancelled` is set it may stop."""
        raise NotImplementedError


class Json:
    """The whole body of a reply; `value` is sent as it is where it is bytes, and a handler named another type."""

    __slots__ = ("content_type", "value")

    def __init__(self, value, content_type=None):
        self.value, self.content_type = value, content_type
