"""Models of the stand-in as the subjects of smoke tests: one check put to one of them, or a whole suite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from llamaexit.ollama.inference import Chunk, Inference, Reply
from llamaexit.smoke.bench import Bench
from llamaexit.smoke.check import Check
from llamaexit.smoke.model import CheckResult, Subject, SuiteResult
from llamaexit.smoke.pace import Pace
from llamaexit.smoke.runner import put, run_suite
from standin import Model, Standin, Store, gguf
from standin.behaviour import Behaviour

SEED = 20261125
NAME = "qwen3:8b"
THINKING_TEMPLATE = "{{ .Prompt }}{{ .Tools }}{{ .Thinking }}"
PLAIN_TEMPLATE = "{{ .Prompt }}{{ .Tools }}"


@dataclass(frozen=True)
class Place:
    """A model that is installed on a stand-in, and the way to ask it."""

    standin: Standin
    subject: Subject
    inference: Inference

    def bench(self, **about: Any) -> Bench:
        """A bench with that model, which is not loaded yet."""
        given: dict[str, Any] = {"suite": "full", "seed": SEED, **about}
        return Bench(self.subject, self.inference, Pace(), **given)


@contextmanager
def installed(
    behaviour: Behaviour,
    *,
    thinks: bool = False,
    version: str = "0.33.0",
    num_ctx: int = 4096,
    model: dict[str, Any] | None = None,
    **about: Any,
) -> Iterator[Place]:
    """A stand-in with one model that behaves so, and that model as a subject. thinks: whether it can. num_ctx: the
    context Ollama takes by itself. model: more of what is installed; about: more of the subject."""
    template = THINKING_TEMPLATE if thinks else PLAIN_TEMPLATE
    facts: dict[str, Any] = {"weights": gguf.llama("qwen3", context=40_960), "template": template, **(model or {})}
    store = Store.of(Model(NAME, **facts))
    with Standin(store, version=version, num_ctx=num_ctx, behaviours={NAME: behaviour}) as standin:
        (entry,) = store.manifests.values()
        capabilities = ("completion", "tools", *(("thinking",) if thinks else ()))
        known: dict[str, Any] = {
            "name": NAME, "digest": entry.digest, "uses": ("chat",), "capabilities": capabilities, "context": 4096,
            "thinks": thinks, "ollama_version": version, **about,
        }  # fmt: skip
        with closing(Inference(standin.url)) as inference:
            yield Place(standin, Subject(**known), inference)


def found(check: Check, behaviour: Behaviour, *, old: SuiteResult | None = None, **facts: Any) -> CheckResult:
    """What one check finds about a model that behaves so."""
    with installed(behaviour, **facts) as place:
        bench = place.bench(old=old)
        bench.load()
        bench.clear()
        return put(check, bench)


def suite_of(
    behaviour: Behaviour, *, suite: str = "quick", options: dict[str, Any] | None = None, **facts: Any
) -> SuiteResult:
    """What a whole suite finds about a model that behaves so."""
    with installed(behaviour, **facts) as place:
        given: dict[str, Any] = {"suite": suite, "seed": SEED, **(options or {})}
        return run_suite(place.subject, place.inference, **given)


def outcomes(result: SuiteResult) -> dict[str, str]:
    """The outcome of every check by its id."""
    return {one.id: one.outcome for one in result.results}


def reply(body: dict[str, Any] | None = None, status: int = 200, **more: Any) -> Reply:
    """One reply, as the client of inference hands it out."""
    facts: dict[str, Any] = {"chunks": (), "error": None, "seconds": 0.1, **more}
    return Reply("/api/chat", {}, status, body, **facts)


def said(text: str, finish: str | None = "stop", **more: Any) -> Reply:
    """A good answer of /api/chat."""
    body = {"message": {"role": "assistant", "content": text}, "done": True, "done_reason": finish, **more}
    return reply(body)


def streamed(*pieces: tuple[float, dict[str, Any]]) -> Reply:
    """A streamed answer: each piece with the second it came at."""
    chunks = tuple(Chunk(*piece) for piece in pieces)
    return reply(chunks[-1].body if chunks else None, chunks=chunks)


@dataclass
class Scripted:
    """In place of a server: replies in order, the last one again and again; what was asked is kept."""

    replies: list[Reply]
    models: list[dict[str, Any]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    then: Callable[[], None] | None = None

    def ask(self, path: str, request: dict[str, Any], *, seconds: float) -> Reply:
        self.asked.append(request)
        self.waits.append(seconds)
        if self.then is not None:
            self.then()
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def loaded(self) -> list[dict[str, Any]]:
        return self.models


SUBJECT = Subject(NAME, "d" * 64, ("chat",), ("completion", "tools"), 4096, thinks=False, ollama_version="0.33.0")
THINKER = Subject(
    NAME, "d" * 64, ("chat",), ("completion", "tools", "thinking"), 4096, thinks=True, ollama_version="0.33.0"
)


def scripted_bench(*replies: Reply, subject: Subject = SUBJECT, **more: Any) -> tuple[Bench, Scripted]:
    """A bench whose model gives these replies."""
    inference = Scripted(list(replies), **more)
    return Bench(subject, inference, Pace(), suite="full", seed=SEED), inference
