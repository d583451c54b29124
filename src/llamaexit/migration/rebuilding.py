"""Building a custom model again on another base: what moves along, and whether it really did.

SYSTEM, MESSAGE, num_ctx and the sampling the user set move; TEMPLATE, RENDERER, PARSER and the stop strings of Llama do
not (they belong to the old base). The request is structured, never Modelfile text, which does not survive a round trip.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from llamaexit.migration.failures import StepFailed
from llamaexit.ollama.changes import Creation
from llamaexit.ollama.modelfile import read_modelfile
from llamaexit.ollama.parameters import parse_parameters
from llamaexit.planning.rebuild import is_stop_of_llama

if TYPE_CHECKING:
    from llamaexit.migration.steps import Job


def creation_from(
    show: Mapping[str, Any], *, model: str, base: str, job: Job, base_show: Mapping[str, Any] | None = None
) -> tuple[Creation, str]:
    """The request that builds `model` on `base` with what the user had set, and in one line what moved along.

    show, base_show: the answers of `/api/show` about the old model and the new base. Raises StepFailed for a model with
    an adapter.
    """
    if read_modelfile(str(show.get("modelfile") or "")).adapter:
        raise StepFailed(
            "adapter", f"{job.source} carries an adapter trained on Llama weights, which cannot move to another base"
        )
    parameters = dict(parse_parameters(str(show.get("parameters") or "")))
    dropped = set(job.decision.rebuild.drops) if job.decision.rebuild is not None else set()
    stops = [
        stop for stop in parameters.pop("stop", []) if not is_stop_of_llama(stop) and f"stop {stop}" not in dropped
    ]
    if stops:
        # what is given takes the place of the base's own, without which it might never stop
        own = parse_parameters(str((base_show or {}).get("parameters") or "")).get("stop", [])
        parameters["stop"] = [*dict.fromkeys([*own, *stops])]
    context = (
        job.target.set_context or parameters.get("num_ctx") or (job.target.fit.context if job.target.fit else None)
    )
    if context is not None:
        parameters["num_ctx"] = int(context)
    system = show.get("system")
    messages = tuple(
        {"role": str(message.get("role", "")), "content": str(message.get("content", ""))}
        for message in show.get("messages") or ()
    )
    creation = Creation(model, base, system if isinstance(system, str) and system else None, parameters, messages)
    return creation, f"carried: {', '.join(_carried(creation)) or 'nothing, since nothing was set'}"


def differences(made: Mapping[str, Any], creation: Creation, base: Mapping[str, Any]) -> list[str]:
    """What the new model does not have as it was asked for, in words; empty when all is well.

    made, base: the answers of `/api/show` about the new model and its base.
    """
    wrong: list[str] = []
    if creation.system is not None and made.get("system") != creation.system:
        wrong.append("its SYSTEM is another")
    got = parse_parameters(str(made.get("parameters") or ""))
    for key, value in creation.parameters.items():
        if not _equal(got.get(key), value):
            wrong.append(f"its {key} is {got.get(key)}, not {value}")
    messages = tuple((m.get("role"), m.get("content")) for m in made.get("messages") or ())
    if creation.messages and messages != tuple((m["role"], m["content"]) for m in creation.messages):
        wrong.append("its MESSAGEs are others")
    if made.get("template") != base.get("template"):
        wrong.append("its TEMPLATE is not that of the new base")
    if _architecture(made) != _architecture(base):
        wrong.append(f"its weights are {_architecture(made)}, not {_architecture(base)}")
    return wrong


def _carried(creation: Creation) -> list[str]:
    words = ["SYSTEM"] if creation.system is not None else []
    if creation.messages:
        words.append(f"{len(creation.messages)} MESSAGE{'s' if len(creation.messages) > 1 else ''}")
    return [*words, *(f"{key} {_plain(value)}" for key, value in sorted(creation.parameters.items()))]


def _plain(value: Any) -> str:
    return " ".join(value) if isinstance(value, list) else f"{value:g}" if isinstance(value, float) else str(value)


def _equal(got: Any, wanted: Any) -> bool:
    if isinstance(wanted, float) and isinstance(got, (int, float)):
        # Ollama keeps fractions in 32 bits, whole numbers as they are
        return math.isclose(got, wanted, rel_tol=1e-6)
    return bool(got == wanted)


def _architecture(show: Mapping[str, Any]) -> Any:
    info = show.get("model_info")
    return info.get("general.architecture") if isinstance(info, Mapping) else None
