"""The calls that change what an Ollama server holds: pull, create, copy, delete.

They go through the `ollama` package, which is imported only here: none of them is on the way to a plan. Whether a
change came about is for the caller to look up; a good answer alone proves nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from llamaexit.errors import OllamaError
from llamaexit.ollama.connection import Deadline
from llamaexit.ollama.failures import BadAnswer, NotOllama, Refused, TimedOut, TooOld, Unreachable
from llamaexit.ollama.host import Host
from llamaexit.ollama.names import BadName, Name
from llamaexit.ollama.pull_failures import KEPT, PullError, failure_in
from llamaexit.ollama.pull_watch import Progress, PullWatch
from llamaexit.ollama.web import asked_plainly
from llamaexit.ollama.wire import Wire, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ollama import Client, ProgressResponse

__all__ = ["Changes", "Creation", "Progress"]

_GLANCE = 0.1
"""Seconds between looks at whether a pull is still wanted while nothing comes."""


@dataclass(frozen=True, slots=True)
class Creation:
    """A model to build on an installed one, whose name `base` has to be spelled as it is installed.

    parameters: of the types Ollama wants, which stores any and fails later. messages: `role` and `content` of each.
    What is left out is what the base has.
    """

    model: str
    base: str
    system: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    messages: tuple[Mapping[str, str], ...] = ()


def never() -> bool:
    """Cancels nothing."""
    return False


def unheard(progress: Progress) -> None:
    """Listens to nothing."""


class Changes:
    """Changes one Ollama server. Safe to use from several threads. Every method raises an OllamaError.

    timeout: seconds for the short calls, and until a long one is being worked on. stall_timeout: seconds a pull may
    stand still. api_key: sent as a bearer token.
    """

    def __init__(
        self, host: str | Host, *, timeout: float = 30.0, stall_timeout: float = 120.0, api_key: str | None = None
    ) -> None:
        self._wire = Wire(host, api_key=api_key)
        self.host = self._wire.host
        self._timeout = timeout
        self._stall_timeout = stall_timeout

    def pull(
        self, name: str, on_progress: Callable[[Progress], None] = unheard, *, cancelled: Callable[[], bool] = never
    ) -> None:
        """One try, over once the server says `success`, which is heard as the last event.

        `cancelled` is asked about ten times a second, also while nothing comes. Ending early in any way, an exception
        of `on_progress` included, closes the connection, at which the server stops; what has arrived stays there for
        the next pull. Raises PullError; Forbidden, Unauthorized or TooOld where something stands before the server.
        """
        watch = PullWatch(name, self._stall_timeout, cancelled)
        reading = Deadline(_GLANCE, alive=watch.look, limit=math.inf)
        plainly = _from_this_machine(name)
        begun = False
        try:
            with closing(self._events(lambda c: c.pull(name, insecure=plainly, stream=True), reading)) as events:
                for event in events:
                    begun = True
                    on_progress(event)
                    if event.status == "success":
                        return
                    watch.see(event)
                    watch.look()
        except Refused as error:
            raise failure_in(error.reason, name, self._version()) from error
        except (Unreachable, TimedOut, BadAnswer, NotOllama) as error:
            what = "broke off" if begun else "could not begin"
            raise PullError("cut", f"the pull of {name} {what}: {error.message}", hint=error.hint) from error
        raise PullError(
            "cut",
            f"the pull of {name} ended without a word of success",
            hint=f"the server may have been restarted; {KEPT}",
        )

    def create(self, creation: Creation, on_progress: Callable[[Progress], None] = unheard) -> None:
        """Build a model, over the one that has its name. Raises Refused, BadAnswer when no `success` comes, …

        Ollama pulls a base that is not installed in that very spelling; that is stopped as soon as it shows.
        """
        model, base = creation.model, creation.base
        reading = Deadline(self._timeout, limit=math.inf)

        def call(client: Client) -> Iterator[ProgressResponse]:
            return client.create(
                model,
                from_=base,
                system=creation.system,
                parameters=dict(creation.parameters) or None,
                messages=[dict(message) for message in creation.messages] or None,
                stream=True,
            )

        with _refusal_of(f"Ollama would not build {model} on {base}"), closing(self._events(call, reading)) as events:
            for event in events:
                reading.restart()
                on_progress(event)
                if event.status == "success":
                    return
                if event.status.startswith("pulling ") and event.digest is not None:
                    raise Refused("", status=404, reason=f"{base} is not installed, and was about to be pulled")
        raise BadAnswer(
            f"building {model} on {base} ended without success", hint="look into the log of the Ollama server"
        )

    def copy(self, source: str, destination: str) -> None:
        """Let `destination` mean what `source` means, over what it meant. Costs no disk."""
        with _refusal_of(f"Ollama would not copy {source} to {destination}"):
            self._client().copy(source, destination)

    def delete(self, name: str) -> None:
        """Remove a name, and the layers no other model uses.

        A model in memory is unloaded first, as `ollama rm` does, because nobody can once its name is gone; but not when
        it is there under another name of the same weights, which others may be using.
        """
        with suppress(Refused, TooOld):
            if any(_same(name, model.get("name")) for model in self._wire.models("/api/ps", Deadline(self._timeout))):
                self.unload(name)
        with _refusal_of(f"Ollama would not delete {name}"):
            self._client().delete(name)

    def unload(self, name: str) -> None:
        """Ask the server to take a model out of memory. It does so a little after it has answered."""
        with _refusal_of(f"Ollama would not unload {name}"), self._odd_answers("/api/generate"):
            self._client().generate(name, keep_alive=0)

    def close(self) -> None:
        """Close the connections that are kept."""
        self._wire.close()

    def __enter__(self) -> Changes:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _client(self, reading: Deadline | None = None) -> Client:
        """The client of the package for one call, on our connections. reading: how long its answer is waited for."""
        from llamaexit.ollama.transport import WireTransport
        from ollama import Client

        transport = WireTransport(self._wire, self._timeout, reading)
        # the transport knows where to send what; a host has to be given, or the package looks for one itself
        return Client("http://ollama", transport=transport, trust_env=False, follow_redirects=False)

    def _events(
        self, call: Callable[[Client], Iterator[ProgressResponse]], reading: Deadline
    ) -> Generator[Progress, None, None]:
        """The events of a call. An error among them is raised as Refused, with the status 200 it came under."""
        from ollama import ResponseError

        stream = cast("Generator[ProgressResponse, None, None]", call(self._client(reading)))
        with closing(stream):
            while True:
                try:
                    with self._odd_answers("event stream"):
                        event = next(stream, None)
                except ResponseError as error:
                    reason = one_line(str(error.error))
                    raise Refused(f"{self.host.url} answered: {reason}", status=200, reason=reason) from error
                if event is None:
                    return
                yield Progress(event.status or "", event.digest or None, event.total, event.completed or 0)

    @contextmanager
    def _odd_answers(self, what: str) -> Iterator[None]:
        """What the package makes of JSON of another shape, or of what is no JSON at all, as BadAnswer."""
        try:
            yield
        except (ValueError, TypeError, AttributeError) as error:
            raise BadAnswer(
                f"{self.host.url} does not answer as Ollama does ({what})",
                hint="look into the log of the server or of the proxy in front of it",
            ) from error

    def _version(self) -> str | None:
        """The version of the server, for words; None when it does not say."""
        try:
            return self._wire.version(Deadline(self._timeout))
        except OllamaError:
            return None


@contextmanager
def _refusal_of(doing: str) -> Iterator[None]:
    """A refusal told as what was refused."""
    try:
        yield
    except Refused as error:
        raise Refused(f"{doing}: {error.reason}", status=error.status, reason=error.reason) from error


def _from_this_machine(name: str) -> bool:
    """Whether a name leads to a registry on loopback. To Ollama `insecure` means plain http, without a try of https."""
    try:
        return asked_plainly(Name.parse(name).host.lower())
    except BadName:
        return False


def _same(name: str, other: object) -> bool:
    try:
        return isinstance(other, str) and Name.parse(name).key == Name.parse(other).key
    except BadName:
        return False
