"""A small client for the reading half of Ollama's HTTP API.

It stands on `http.client` because importing the `ollama` package (or `httpx` below it) takes longer than a whole plan
should, and because that package drops the fields a plan is made from: capabilities, remote models, `requires`,
tensors. Every request has an overall deadline and a size limit.
Answers are handed out as they came, checked only for being JSON objects: what they hold is for the caller to judge.
"""

from __future__ import annotations

from llamaexit.ollama.connection import Deadline
from llamaexit.ollama.host import Host
from llamaexit.ollama.wire import JsonObject, Wire

DEFAULT_TIMEOUT = 5.0
"""Seconds a request may take, connecting and reading included."""
TAGS_PATIENCE = 60.0
"""Seconds the list of models may take while the server goes on answering `/api/version`: after a start Ollama reads
the header of every model before it lists the first one (server/model_list_cache.go)."""


class Server:
    """One Ollama server. Safe to use from several threads; each request takes a kept-alive connection of its own.

    timeout: seconds for each request, all told. api_key: sent as a bearer token, as Ollama's own clients do with
    OLLAMA_API_KEY. Every method raises an OllamaError (llamaexit.ollama.failures) when it cannot answer.
    """

    def __init__(self, url: str | Host, timeout: float = DEFAULT_TIMEOUT, *, api_key: str | None = None) -> None:
        self._wire = Wire(url, api_key=api_key, on_disk=True)
        self.host = self._wire.host
        self.timeout = timeout

    @property
    def url(self) -> str:
        """The base URL that is asked."""
        return self.host.url

    def version(self) -> str:
        """The version as the server writes it (`0.33.0-rc2`; `0.0.0` from a build that does not know).

        This is the call that tells Ollama from everything else that may listen there.
        """
        return self._wire.version(Deadline(self.timeout))

    def tags(self) -> list[JsonObject]:
        """The installed models (`/api/tags`). Waits longer than `timeout` while the server proves to be alive."""
        alive = self.version if self._wire.known_version else None
        deadline = Deadline(self.timeout, alive=alive, limit=max(TAGS_PATIENCE, self.timeout))
        return self._wire.models("/api/tags", deadline)

    def ps(self) -> list[JsonObject]:
        """The models in memory (`/api/ps`)."""
        return self._wire.models("/api/ps", Deadline(self.timeout))

    def show(self, name: str, verbose: bool = False) -> JsonObject:
        """Everything about one model (`/api/show`). `verbose` includes the arrays, tokens and all: megabytes."""
        request: JsonObject = {"model": name}
        if verbose:
            request["verbose"] = True
        answer = self._wire.ask("POST", "/api/show", request, Deadline(self.timeout))
        return self._wire.object(answer, "/api/show")

    def has_blob(self, digest: str) -> bool:
        """Whether the store of the server holds the blob `sha256:<64 hex>` completely."""
        answer = self._wire.ask("HEAD", f"/api/blobs/{digest}", None, Deadline(self.timeout))
        if answer.status in (200, 404):
            return answer.status == 200
        raise self._wire.failure(answer, "/api/blobs")

    def close(self) -> None:
        """Close the connections that are kept."""
        self._wire.close()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
