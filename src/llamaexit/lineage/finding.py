"""What one rule found out about one model, and how findings are ordered."""

from __future__ import annotations

from dataclasses import dataclass

from llamaexit.snapshot import Evidence, Strength, Verdict

RULES = (
    "stated",
    "manifest-digest",
    "weights-digest",
    "same-weights",
    "architecture",
    "base-model",
    "licence-key",
    "basename",
    "parent",
    "family",
    "name-tag",
    "library-name",
    "licence-text",
    "shape",
    "published-name",
    "agreement",
    "tokenizer",
    "template",
    "local-name",
    "adapter",
    "remote",
    "contradiction",
    "question",
)
"""Stable names of the rules. Of two findings with the same strength, the one whose rule stands first decides."""

_STRENGTH: dict[Strength, int] = {"proof": 0, "strong": 1, "likely": 2, "support": 3}
_RANK = {rule: rank for rank, rule in enumerate(RULES)}
_LONGEST = 80


@dataclass(frozen=True, slots=True)
class Finding:
    """One piece of evidence, with what else it tells.

    text: a clause in lower case without a full stop, fit to follow "not Llama:" or "Llama:".
    generation, base: the Llama generation and the base model it points to. origin: name of the record of the recipes
    that describes these very weights. A finding with verdict `unknown` decides too (the weights are known, and
    whether to leave them is for a person to say) unless its strength is `support`.
    """

    rule: str
    verdict: Verdict
    strength: Strength
    text: str
    generation: str | None = None
    base: str | None = None
    origin: str | None = None

    @property
    def decides(self) -> bool:
        """Whether it is strong enough to settle the verdict alone."""
        return self.strength != "support"

    @property
    def order(self) -> tuple[int, bool, int]:
        """Sort key, strongest first; among supports, those that say nothing either way come last."""
        neutral = self.verdict == "unknown" and not self.decides
        return _STRENGTH[self.strength], neutral, _RANK[self.rule]

    @property
    def evidence(self) -> Evidence:
        """The part of it that the snapshot keeps."""
        return Evidence(self.rule, self.verdict, self.strength, self.text)


def weaker(one: Strength, other: Strength) -> Strength:
    """The weaker of two strengths."""
    return max(one, other, key=_STRENGTH.__getitem__)


def fit(text: str) -> str:
    """A text from a stranger's file, made fit for one line: no control characters, at most 80 characters."""
    if len(text) <= _LONGEST and text.isprintable():
        return text
    clean = "".join(char if char.isprintable() else " " for char in text[: _LONGEST + 1])
    return clean if len(clean) <= _LONGEST else clean[: _LONGEST - 1] + "…"
