"""What can go wrong when asking an Ollama server, each with the next step. All are OllamaErrors."""

from __future__ import annotations

from llamaexit.errors import OllamaError

NO_SERVER = "no Ollama server at "
"""How the message of Unreachable begins, wherever it is told. After a semicolon follows what would help."""


class Unreachable(OllamaError):
    """Nothing answers at the address: refused, no route, no such host, connection cut."""

    code = "ollama-unreachable"


class TimedOut(OllamaError):
    """The server took the request and did not answer in time, or answered too slowly."""

    code = "ollama-timeout"


class NotOllama(OllamaError):
    """Something answers, but it is not an Ollama server."""

    code = "ollama-foreign"


class Forbidden(OllamaError):
    """403: Ollama's guard against foreign Host headers, or a proxy in front of it."""

    code = "ollama-forbidden"


class Unauthorized(OllamaError):
    """401 or 407: the server or a proxy in front of it wants a key."""

    code = "ollama-unauthorized"


class TooOld(OllamaError):
    """The server does not know a route that is needed."""

    code = "ollama-too-old"


class TooLarge(OllamaError):
    """The answer is larger than any answer should be."""

    code = "ollama-too-large"


class BadAnswer(OllamaError):
    """The answer is not the JSON it should be."""

    code = "ollama-bad-json"


class Refused(OllamaError):
    """Ollama understood and said no: `{"error": …}` with a status. `reason` is its text, `status` the HTTP status."""

    code = "ollama-refused"

    def __init__(self, message: str, *, status: int, reason: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.reason = reason
