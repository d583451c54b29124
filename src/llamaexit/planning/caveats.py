"""Which caveats matter for this switch. Rules list what may matter; what the facts settle is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llamaexit.ollama.version import at_least
from llamaexit.planning.plan import Caveat

if TYPE_CHECKING:
    from llamaexit.planning.facts import Facts
    from llamaexit.recipes.library import Library
    from llamaexit.recipes.model import Use
    from llamaexit.recipes.policy import Exemption
    from llamaexit.snapshot import InstalledModel


@dataclass(frozen=True, slots=True)
class Switch:
    """One source, its uses, and the target that was chosen for it. old_parameters: billions.

    lost: what the target lacks and the recipe accepts, in words. shorter: the context is among it. exemption: the
    exception by which the policy allows the target.
    """

    source: InstalledModel
    old_context: int
    old_parameters: float | None
    uses: tuple[Use, ...]
    facts: Facts
    ollama_version: str | None
    gpu_share: float | None
    thought_before: bool = False
    set_context: int | None = None
    lost: tuple[str, ...] = ()
    shorter: bool = False
    exemption: Exemption | None = None


_Relevant = Callable[[Switch], bool]

_WITHOUT_TEMPLATE = frozenset({"fim", "text", "embedding"})
_FIRST = (
    "BROKEN",
    "ALREADY_BROKEN",
    "LOSS",
    "EXCEPTION",
    "SET_CONTEXT",
    "THINK_ONLY",
    "THINK_DEFAULT",
    "SMALLER",
    "CONTEXT",
    "NO_TOOLS",
)
"""What people have to know before anything else, the most pressing first."""

_RELEVANT: dict[str, _Relevant] = {
    # other lines of the plan say it better, and exactly
    "LICENCE_GAIN": lambda s: False,
    "LICENCE_QWEN": lambda s: False,
    "LICENCE_DEEPSEEK": lambda s: False,
    "LICENCE_RESEARCH": lambda s: False,
    # reckoned, so only said when the reckoning says so, too
    "VRAM": lambda s: s.gpu_share is None or 0 < s.gpu_share < 1,
    "VERSION_MIN": lambda s: False,
    "CONTEXT": lambda s: 0 < s.facts.context < s.old_context,
    "THINK_DEFAULT": lambda s: s.facts.target.thinking.default is not False and not s.thought_before,
    "THINK_ONLY": lambda s: not s.thought_before,
    # a chat template plays no part
    "TEMPLATE": lambda s: not _WITHOUT_TEMPLATE.issuperset(s.uses),
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
    """Caveats of the rule and of the target without those the facts settle, and what was reckoned; pressing ones first.

    Codes that are not in a recipe's table are made here: BROKEN, LOSS, EXCEPTION, SET_CONTEXT, SMALLER.
    """
    wanted = dict.fromkeys(codes)
    thinking = switch.facts.target.thinking
    if thinking.default:
        wanted["THINK_DEFAULT"] = None
    if thinking.default and thinking.can_disable is False:
        del wanted["THINK_DEFAULT"]
        wanted["THINK_ONLY"] = None
    if 0 < switch.facts.context < switch.old_context and not switch.shorter:
        wanted["CONTEXT"] = None
    found = [Caveat(code, library.caveat(code)) for code in wanted if _matters(code, switch)]
    found += _reckoned(switch)
    order = {code: number for number, code in enumerate(_FIRST)}
    return tuple(sorted(found, key=lambda caveat: order.get(caveat.code, len(order))))


def _matters(code: str, switch: Switch) -> bool:
    relevant = _RELEVANT.get(code)
    return relevant is None or relevant(switch)


def _reckoned(switch: Switch) -> Iterator[Caveat]:
    """What no recipe can know beforehand."""
    if switch.source.problem is not None:
        yield Caveat("BROKEN", f"The old model cannot be used as it is: {switch.source.problem}.")
    if switch.lost:
        recipe = switch.facts.candidate.bound.recipe
        yield Caveat(
            "LOSS", f"Has less than the old model, which the recipe {recipe} accepts: {'; '.join(switch.lost)}."
        )
    if switch.exemption is not None:
        made = switch.exemption
        yield Caveat("EXCEPTION", f"Allowed only by an exception of the recipe {made.recipe}: {made.why.rstrip('.')}.")
    if switch.set_context is not None and not switch.shorter:
        yield Caveat(
            "SET_CONTEXT",
            f"Ask for num_ctx {switch.set_context}: at Ollama's default context it does not fit here "
            "the way the old model does.",
        )
    old, new = switch.old_parameters, switch.facts.target.parameters
    if old is not None and 0 < new < old * MUCH_SMALLER:
        yield Caveat(
            "SMALLER",
            f"A far smaller model: {new:g} billion parameters in place of {old:.3g}. "
            "Expect weaker answers to hard questions.",
        )


MUCH_SMALLER = 0.3
"""A target with less than this share of the old model's parameters gets a caveat of its own."""
