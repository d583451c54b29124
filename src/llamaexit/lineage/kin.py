"""Which record of the recipes is nearest to a fine-tune that has no record of its own.

The planner looks up rules by this record, so the plain release of the same generation and size is preferred:
`llama3.1:8b` for an 8B fine-tune of Llama 3.1.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, NamedTuple

from llamaexit.lineage.header import text_at

if TYPE_CHECKING:
    from llamaexit.lineage.catalogue import Catalogue
    from llamaexit.recipes.model import Origin
    from llamaexit.snapshot import InstalledModel

_Kind = Literal["text", "vision", "guard"]
_ORDER = ("llama1", "llama2", "codellama", "llama3", "llama3.1", "llama3.2", "llama3.3", "llama4")
_SIZES: dict[str, tuple[tuple[float, float], ...]] = {
    "llama3.2": ((0.1, 5.0), (9.5, 12.0), (80.0, 95.0)),
    "llama3.3": ((40.0, 80.0),),
}
"""Sizes, in billions, that fine-tunes of a generation can have: there is no 8B Llama 3.2, whatever a licence says."""
_BILLIONS = re.compile(r"(?<![0-9.])([0-9]+(?:\.[0-9]+)?) ?([bm])(?![a-z])", re.IGNORECASE)
_PLAUSIBLE = (1e6, 1e14)


def billions(model: InstalledModel) -> float | None:
    """Parameters in 10^9: counted, else as stated in the header, by Ollama, or in the name."""
    if model.parameter_count and _PLAUSIBLE[0] <= model.parameter_count <= _PLAUSIBLE[1]:
        return model.parameter_count / 1e9
    return _stated(model.parameter_size, text_at(model.metadata, "general.size_label") or "", model.name)


def plausible(generations: Iterable[str], size: float | None) -> str | None:
    """The first generation that comes in such a size; an impossible 3.2 or 3.3 was made from 3.1."""
    stated = tuple(generations)
    for generation in stated:
        ranges = _SIZES.get(generation)
        if size is None or ranges is None or any(low <= size <= high for low, high in ranges):
            return generation
    return "llama3.1" if stated else None


class Kin:
    """The Llama records of a catalogue, grouped by what makes them comparable."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._groups: dict[tuple[_Kind, str | None], tuple[_Candidate, ...]] = {}

    def nearest(self, model: InstalledModel, generation: str | None) -> Origin | None:
        """The record nearest to a Llama model by kind (vision, guard), generation and size; None without any."""
        kind = _kind(model)
        candidates = self._groups.get((kind, generation))
        if candidates is None:
            candidates = self._groups[kind, generation] = self._comparable(kind, generation)
        if not candidates:
            return None
        size = billions(model)
        return min(candidates, key=lambda candidate: candidate.distance(size)).origin

    def _comparable(self, kind: _Kind, generation: str | None) -> tuple[_Candidate, ...]:
        """Best first among equals: plain releases only where there are any, short names before long ones."""
        origins = [o for o in self._catalogue.origins if o.lineage == "meta" and _is_of_kind(o, kind)]
        if generation is not None and origins:
            fewest = min(_steps(origin, generation) for origin in origins)
            origins = [origin for origin in origins if _steps(origin, generation) == fewest]
        plain = [origin for origin in origins if origin.name.partition(":")[0] == origin.generation]
        chosen = sorted(plain or origins, key=lambda origin: (len(origin.name), origin.name))
        return tuple(_Candidate(origin, _size_of(origin), _is_default(origin)) for origin in chosen)


class _Candidate(NamedTuple):
    origin: Origin
    size: float | None
    default: bool

    def distance(self, size: float | None) -> float:
        """How far apart two sizes are, as a ratio; without a size, the tag people get by default is nearest."""
        if size is None:
            return 0.0 if self.default else 1.0
        return abs(math.log(self.size / size)) if self.size else math.inf


def _kind(model: InstalledModel) -> _Kind:
    if "guard" in f"{model.name} {text_at(model.metadata, 'general.basename') or ''}".lower():
        return "guard"
    sees = (
        (model.capabilities is not None and "vision" in model.capabilities)
        or "clip" in model.families
        or "mllama" in (model.family, *model.families)
        or model.projector_size > 0
        or (model.shape is not None and model.shape.vision)
    )
    return "vision" if sees else "text"


def _is_of_kind(origin: Origin, kind: _Kind) -> bool:
    if "guard" in origin.uses or kind == "guard":
        return "guard" in origin.uses and kind == "guard"
    # every Llama 4 sees; it is no less a chat model
    return ("vision" in origin.uses) == (kind == "vision") or origin.generation == "llama4"


def _steps(origin: Origin, generation: str) -> int:
    if origin.generation == generation:
        return 0
    if origin.generation not in _ORDER or generation not in _ORDER:
        return len(_ORDER)
    return abs(_ORDER.index(origin.generation) - _ORDER.index(generation))


def _is_default(origin: Origin) -> bool:
    return any(tag.endswith(":latest") for tag in (origin.name, *origin.also))


def _size_of(origin: Origin) -> float | None:
    if origin.parameter_count:
        return origin.parameter_count / 1e9
    return _stated(origin.parameters, origin.name.partition(":")[2])


def _stated(*texts: str) -> float | None:
    """The first size in the texts, in 10^9 parameters."""
    for text in texts:
        if (match := _BILLIONS.search(text)) is not None and (value := float(match[1])) > 0:
            return value if match[2] in "bB" else value / 1000
    return None
