"""Which caveats matter for this switch. Rules list what may matter; what the facts settle is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llamaexit.ollama.version import at_least
from llamaexit.planning.plan import Caveat

if TYPE_CHECKING:
    from llamaexit.planning.judge import Facts
    from llamaexit.recipes.library import Library
    from llamaexit.recipes.model import Use
    from llamaexit.snapshot import InstalledModel


@dataclass(frozen=True, slots=True)
class Switch:
    """One source, its uses, and the target that was chosen for it."""

    source: InstalledModel
    old_context: int
    uses: tuple[Use, ...]
    facts: Facts
    ollama_version: str | None
    gpu_share: float | None


_Relevant = Callable[[Switch], bool]

_RELEVANT: dict[str, _Relevant] = {
    # the licence line of the plan says it better
    "LICENCE_GAIN": lambda s: False,
    "LICENCE_QWEN": lambda s: False,
    "LICENCE_DEEPSEEK": lambda s: False,
    "LICENCE_RESEARCH": lambda s: False,
    # reckoned, so only said when the reckoning says so, too
    "VRAM": lambda s: s.gpu_share is None or 0 < s.gpu_share < 1,
    "VERSION_MIN": lambda s: at_least(s.ollama_version, s.facts.min_ollama) is None,
    "CONTEXT": lambda s: 0 < s.facts.context < s.old_context,
    "THINK_DEFAULT": lambda s: s.facts.target.thinking.default is not False,
    # only for some uses
    "FIM_RAW": lambda s: "fim" in s.uses,
    "FIM_API": lambda s: "fim" in s.uses,
    "TOOLS_TEXT": lambda s: "tools" in s.uses,
    "XML_LEAK": lambda s: "tools" in s.uses or "code" in s.uses,
    "NO_TOOLS": lambda s: "tools" in s.uses,
    "VISION_TOKENS": lambda s: "vision" in s.uses,
    "EMBED_REINDEX": lambda s: "embedding" in s.uses or "rag" in s.uses,
    "LORA": lambda s: s.source.adapter,
    "ALREADY_BROKEN": lambda s: at_least(s.ollama_version, "0.30.0") is not False,
}


def relevant_caveats(switch: Switch, codes: Iterable[str], library: Library) -> tuple[Caveat, ...]:
    """Caveats of the rule and of the target, in that order, without those the facts settle."""
    wanted = dict.fromkeys(codes)
    if switch.facts.target.thinking.default:
        wanted.setdefault("THINK_DEFAULT", None)
    if switch.facts.target.thinking.default and switch.facts.target.thinking.can_disable is False:
        wanted.pop("THINK_DEFAULT", None)
        wanted.setdefault("THINK_ONLY", None)
    if 0 < switch.facts.context < switch.old_context:
        wanted.setdefault("CONTEXT", None)
    always: _Relevant = lambda s: True  # noqa: E731
    return tuple(Caveat(code, library.caveat(code)) for code in wanted if _RELEVANT.get(code, always)(switch))


MUCH_SMALLER = 0.3
"""A target with less than this share of the old model's parameters gets a caveat of its own."""


def much_smaller(old: float | None, new: float) -> tuple[Caveat, ...]:
    """A caveat when the target is in another class of size. Parameters in billions."""
    if old is None or not new or new >= old * MUCH_SMALLER:
        return ()
    text = (
        f"A far smaller model: {new:g} billion parameters in place of {old:.3g}. "
        "Expect weaker answers to hard questions."
    )
    return (Caveat("SMALLER", text),)
