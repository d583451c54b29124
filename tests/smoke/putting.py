"""One check put to one scripted model, through everything that lies between them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from llamaexit.ollama.inference import Inference
from llamaexit.smoke import runner
from llamaexit.smoke.bench import Bench
from llamaexit.smoke.check import Check
from llamaexit.smoke.model import CheckResult, Subject, SuiteResult
from llamaexit.smoke.pace import Pace
from standin import Behaviour, Model, Request, Standin, Store, gguf

NAME = "m:latest"
SEED = 20261125
EVERYTHING = ("completion", "tools", "insert", "vision", "thinking")


@dataclass
class Put:
    """What a check found, and the requests it made of the server."""

    result: CheckResult
    log: list[Request]

    def requests(self, path: str) -> list[dict[str, Any]]:
        """The bodies of the requests to a path that ask something, not those that load."""
        bodies = [request.body for request in self.log if request.path == path and isinstance(request.body, dict)]
        return [body for body in bodies if body.get("messages") or body.get("prompt") or body.get("input")]


@contextmanager
def server_of(
    behaviour: Behaviour, *, can: tuple[str, ...] = ("completion", "tools"), trained: int = 131072, **settings: Any
) -> Iterator[Standin]:
    """A server with one model that can do this, trained on so many tokens of context."""
    only_embeds = "embedding" in can
    extra = {"llama.pooling_type": 1} if only_embeds else {}
    weights = gguf.llama(context=trained, extra=extra)
    capabilities = tuple(capability for capability in can if capability not in ("completion", "embedding"))
    # with one of Ollama's parsers reasoning is told apart even from models that were not to think
    parser = "qwen3.5" if {"tools", "thinking"} <= set(can) else None
    model = Model(NAME, weights=weights, capabilities=capabilities, parser=parser)
    with Standin(Store.of(model), **settings) as standin:
        standin.behaviours[NAME] = behaviour
        yield standin


def subject_of(check: Check, can: tuple[str, ...] = ("completion", "tools"), context: int = 4096) -> Subject:
    """The model as a plan would have it tested, for the uses of a check."""
    uses = tuple(sorted(check.uses))
    return Subject(name=NAME, digest=None, uses=uses, capabilities=can, context=context, ollama_version="0.33.0")


def put(
    check: Check,
    behaviour: Behaviour,
    *,
    can: tuple[str, ...] = ("completion", "tools"),
    context: int = 4096,
    trained: int = 131072,
    seed: int = SEED,
    old: SuiteResult | None = None,
    answer_seconds: float | None = None,
    **settings: Any,
) -> Put:
    """Load a scripted model and put one check to it. settings: those of the server."""
    with server_of(behaviour, can=can, trained=trained, **settings) as server, Inference(server.url) as inference:
        pace = Pace(answer_seconds)
        bench = Bench(subject_of(check, can, context), inference, pace, suite="full", seed=seed, old=old)
        bench.load()
        bench.clear()
        result = runner.put(check, bench)
        return Put(result, list(server.log))
