"""What a model file says about itself: architecture, base models, licence and names in its GGUF keys.

Keys hold whatever a stranger wrote into them; a value of an unexpected type is no evidence, never an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from llamaexit.lineage import architectures, words
from llamaexit.lineage.finding import Finding, fit
from llamaexit.snapshot import InstalledModel, Strength, Verdict

_WEIGHT: dict[Verdict, int] = {"not-meta": 0, "unknown": 1, "meta": 2}
"""Of several base models, which one counts."""
_FROM_META = frozenset({"metallama", "codellama"})
_FROM_OTHERS = {
    "mistralai": "Mistral AI",
    "qwen": "Qwen",
    "01ai": "01.AI",
    "deepseekai": "DeepSeek",
    "google": "Google",
    "huggingfacetb": "Hugging Face",
    "ibmgranite": "IBM",
    "tiiuae": "TII",
    "lgaiexaone": "LG",
    "internlm": "InternLM",
    "cohereforai": "Cohere",
    "bigcode": "BigCode",
}
"""Publishers whose every base model is their own. Microsoft, NVIDIA, Upstage and others have built on Llama, too."""
_LICENCE = re.compile(r"(?:meta-)?llama-?([234](?:\.[123])?)(?:-community)?(?:-licen[cs]e)?(?:-agreement)?")
_MISNOMERS = frozenset({"llama", "llama v2"})
"""`general.name` llama.cpp's old converter gave to models of any origin, by context length alone."""
_REPOSITORY = re.compile(r"(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/([^/\s]+)/([^/\s?#]+)", re.IGNORECASE)


def architecture_of(model: InstalledModel) -> str | None:
    """`general.architecture` of the file, in lower case; for models without a readable header what Ollama noted."""
    stated = text_at(model.metadata, "general.architecture")
    if stated is None and model.shape is not None:
        stated = model.shape.architecture
    return (stated or model.family or "").lower() or None


def header_findings(model: InstalledModel) -> Iterator[Finding]:
    """Findings from the file itself, and from the family Ollama noted where there is no header to read."""
    yield from _architecture(model)
    if (finding := _base_model(model.metadata)) is not None:
        yield finding
    if (finding := _licence(model.metadata)) is not None:
        yield finding
    if (finding := _basename(model.metadata)) is not None:
        yield finding


def text_at(metadata: Mapping[str, Any], key: str) -> str | None:
    """The text at a key; None when it is absent, blank, or no text."""
    value = metadata.get(key)
    return value.strip() or None if isinstance(value, str) else None


def _architecture(model: InstalledModel) -> Iterator[Finding]:
    stated = text_at(model.metadata, "general.architecture")
    if stated is None and model.shape is not None and model.shape.source != "catalogue":
        stated = model.shape.architecture
    if stated:
        yield from _read_architecture("architecture", stated.lower())
    elif model.source != "named":
        # the family is what the publisher's create wrote down, not what the file says
        for family in dict.fromkeys((model.family, *(model.families or ()))):
            found = tuple(_read_architecture("family", family.lower()))
            if found:
                yield from found
                return


def _read_architecture(rule: str, name: str) -> Iterator[Finding]:
    strength: Strength = "strong" if rule == "architecture" else "likely"
    word = "architecture" if rule == "architecture" else "family (as noted by Ollama)"
    if name in architectures.META:
        generation = architectures.META[name]
        yield Finding(rule, "meta", strength, f"its {word} is {name}, which only Meta's models have", generation)
    elif name == "llama":
        yield Finding(
            rule, "unknown", "support", f"its {word} is llama, which Mistral, Yi, SmolLM and others share with Llama"
        )
    elif architectures.is_other(name):
        yield Finding(rule, "not-meta", strength, f"its {word} is {fit(name)}, which no Llama model has")


def _base_model(metadata: Mapping[str, Any]) -> Finding | None:
    """One finding for all base models named: a merge with one Llama parent holds Llama weights."""
    told = [finding for base in _bases(metadata) if (finding := _read_base(*base)) is not None]
    return max(told, key=lambda finding: _WEIGHT[finding.verdict], default=None)


def _bases(metadata: Mapping[str, Any]) -> Iterator[tuple[str | None, str | None, str | None]]:
    """Name, organization and repository of each base model, up to the first number that is not there."""
    index = 0
    while True:
        prefix = f"general.base_model.{index}."
        name = text_at(metadata, prefix + "name")
        organization = text_at(metadata, prefix + "organization")
        url = text_at(metadata, prefix + "repo_url")
        if name is None and organization is None and url is None:
            return
        yield name, organization, url
        index += 1


def _read_base(name: str | None, organization: str | None, url: str | None) -> Finding | None:
    repository = _REPOSITORY.match(url) if url else None
    owner = repository[1] if repository else organization or ""
    shown = fit(name or (repository[2] if repository else organization) or "")
    by = f" by {fit(organization)}" if organization and name else ""
    text = f"its file names {shown}{by} as its base model"
    reading = _first_reading(name, repository[2] if repository else None)
    if reading is not None and reading.verdict != "not-meta":
        return Finding("base-model", reading.verdict, "strong", text, reading.generation, shown)
    publishers = {_compact(owner), _compact(organization or "")}
    if not _FROM_META.isdisjoint(publishers):
        generation = "codellama" if "codellama" in publishers else None
        return Finding("base-model", "meta", "strong", text, generation, shown)
    for publisher in sorted(publishers & _FROM_OTHERS.keys()):
        return Finding("base-model", "not-meta", "strong", f"{text}, which is {_FROM_OTHERS[publisher]}'s", base=shown)
    if reading is not None:
        return Finding("base-model", "not-meta", "strong", text, base=shown)
    return None


def _first_reading(*texts: str | None) -> words.Reading | None:
    """The first reading that points to Llama, else the first one at all."""
    readings = [reading for text in texts if text and (reading := words.read(text)) is not None]
    return next((reading for reading in readings if reading.verdict != "not-meta"), readings[0] if readings else None)


def _compact(owner: str) -> str:
    return re.sub(r"[^a-z0-9]", "", owner.lower())


def _licence(metadata: Mapping[str, Any]) -> Finding | None:
    """Absent or other licences prove nothing: Meta's own files may lack the key, and fine-tunes may hide it."""
    for key in ("general.license", "general.license.name"):
        value = text_at(metadata, key)
        match = _LICENCE.fullmatch(re.sub(r"[\s_]+", "-", value.lower())) if value else None
        if value and match:
            return Finding(
                "licence-key", "meta", "strong", f"its file states the licence {fit(value)}", f"llama{match[1]}"
            )
    return None


def _basename(metadata: Mapping[str, Any]) -> Finding | None:
    """The first of the names in the file that says anything; a Llama word beats the name of another family."""
    found: Finding | None = None
    for key in ("basename", "name", "finetune"):
        value = text_at(metadata, f"general.{key}")
        if value is None or value.lower() in _MISNOMERS:
            continue
        reading = words.read(value)
        if reading is None or (found is not None and reading.verdict == "not-meta"):
            continue
        finding = Finding(
            "basename", reading.verdict, "likely", f"its file calls itself {fit(value)}", reading.generation
        )
        if reading.verdict != "not-meta":
            return finding
        found = finding
    return found
