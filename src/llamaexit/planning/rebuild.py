"""What moves along when a custom model is built again on another base, and what cannot.

TEMPLATE, RENDERER, PARSER and the stop strings of Llama belong to the old base: carried over, they are what makes a
switched model talk gibberish or never stop. See docs/explanation/how-a-plan-is-made.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llamaexit.ollama.names import DEFAULT_HOST, DEFAULT_NAMESPACE, Name
from llamaexit.planning.plan import Rebuild

if TYPE_CHECKING:
    from llamaexit.recipes.library import Library
    from llamaexit.recipes.model import Origin
    from llamaexit.snapshot import InstalledModel

_LLAMA_STOPS = frozenset(
    {
        "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>", "<|begin_of_text|>", "<|end_of_text|>", "<|eom_id|>",
        "<|python_tag|>", "<|eot|>", "<|header_start|>", "<|header_end|>", "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>",
        "<s>", "</s>", "<|reserved_special_token", "<PRE>", "<SUF>", "<MID>", "<EOT>", "Source:",
    }
)  # fmt: skip


def is_custom(model: InstalledModel, library: Library) -> bool:
    """Whether the name is the user's own: built FROM another model, or copied to a name no library publishes.

    Such a name says nothing about its maker, so it may be given a new base; a vendor's name may not.
    """
    if model.parent is not None and is_name(model.parent):
        return True
    try:
        name = Name.parse(model.name)
    except ValueError:
        return False
    published = library.origin(name.short) is not None or library.target(name.short) is not None
    own = name.host == DEFAULT_HOST and name.namespace == DEFAULT_NAMESPACE and not published
    return own and model.source != "named"


def is_name(text: str) -> bool:
    """Whether a parent is a model name; models created from files carry a path there."""
    try:
        Name.parse(text)
    except ValueError:
        return False
    return True


def is_stop_of_llama(stop: str) -> bool:
    """Whether a stop string is one of Llama's own marks, which other models never write."""
    return stop in _LLAMA_STOPS


def rebuild_of(model: InstalledModel, origin: Origin | None) -> Rebuild:
    """What a rebuild carries and drops, one entry per thing, in words."""
    carries: list[str] = []
    drops: list[str] = []
    if model.system:
        carries.append("SYSTEM")
    if model.messages:
        carries.append(f"{model.messages} MESSAGE{'s' if model.messages > 1 else ''}")
    for key, value in sorted(model.parameters.items()):
        if key != "stop":
            carries.append(f"{key} {_plain(value)}")
    llama_stops = _LLAMA_STOPS.union(origin.stop if origin is not None else ())
    for stop in _as_list(model.parameters.get("stop")):
        if stop in llama_stops:
            drops.append(f"stop {stop}")
        else:
            carries.append(f"stop {stop}")
    drops.append("TEMPLATE (the new base brings its own)")
    return Rebuild(tuple(carries), tuple(drops))


def _as_list(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(v) for v in value] if isinstance(value, (list, tuple)) else [str(value)]


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
