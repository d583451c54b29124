"""Vectors for texts: of their own for each model, and the same every time; or those a behaviour's `embed` gives."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from standin import options as option_rules
from standin.asking import acquire, resolved_options
from standin.handler import Problem
from standin.installed import Installed
from standin.runners import Wish
from standin.store import Resident

if TYPE_CHECKING:
    from standin.server import Standin

Body = dict[str, Any]
_NOT_STARTED_FOR_IT = "This server does not support embeddings. Start it with `--embeddings`"


def texts(body: Body) -> list[str]:
    """What is to be embedded. Raises Problem."""
    given = body.get("input")
    if isinstance(given, str):
        return [given] if given else []
    if given is None:
        return []
    if not isinstance(given, list) or not all(isinstance(text, str) for text in given):
        raise Problem(400, "invalid input type")
    return given


def load(standin: Standin, model: Installed, body: Body, gone: Callable[[], bool]) -> tuple[Resident, float]:
    """A runner for the model. Raises Problem."""
    wish = Wish(
        model,
        resolved_options(standin, model, body),
        standin.behaviour_of(model).traits,
        shift=True,
        keep=option_rules.keep_alive(body.get("keep_alive")),
        automatic="num_ctx" not in {**model.options, **(body.get("options") or {})},
        gone=gone,
    )
    return acquire(standin, wish, str(body["model"]))


def embed(standin: Standin, model: Installed, body: Body, runner: Resident, load_seconds: float) -> Body:
    """The answer of `/api/embed`. Raises Problem."""
    begun = time.monotonic()
    vectors, count = [], 0
    traits = standin.behaviour_of(model).traits
    for text in texts(body):
        tokens = len(traits.tokens(text)) + 2
        if tokens > runner.context_length:
            if body.get("truncate") is False:
                raise Problem(400, "the input length exceeds the context length")
            tokens = runner.context_length
            text = "".join(traits.tokens(text)[: tokens - 2])
        whole = vector(standin, model, text)
        vectors.append(normal(whole[: int(body.get("dimensions") or 0) or None]))
        count += tokens
    answer = {"model": body["model"], "embeddings": vectors}
    load_time = max(load_seconds, 0.0005)
    took = load_time + max(time.monotonic() - begun, count / traits.prompt_tokens_per_second)
    answer |= {"total_duration": int(took * 10**9), "load_duration": int(load_time * 10**9)}
    return answer | ({"prompt_eval_count": count} if count else {})


def vector(standin: Standin, model: Installed, text: str) -> list[float]:
    """Not of length one. Raises Problem for a model that was not made for it."""
    if "embedding" not in model.capabilities and standin.release.since(0, 30):
        raise Problem(501, _NOT_STARTED_FOR_IT)
    own = getattr(standin.behaviour_of(model), "embed", None)
    if own is not None:
        given: list[float] = own(text)
        return given
    size = int(model.header.of_architecture("embedding_length") or 64) if model.header else 64
    numbers: list[float] = []
    while len(numbers) < size:
        seed = hashlib.sha256(f"{model.weights} {len(numbers)} {text}".encode()).digest()
        numbers += [byte / 127.5 - 1 for byte in seed]
    return numbers[:size]


def normal(numbers: list[float]) -> list[float]:
    """The same direction, of length one."""
    length = math.sqrt(sum(number * number for number in numbers))
    return [number / length for number in numbers]
