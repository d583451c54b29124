"""Ollama's settings as the estimator needs them: read from what was seen, with Ollama's own rules for odd values."""

from __future__ import annotations

from llamaexit.snapshot import OllamaFacts

_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})


def text(ollama: OllamaFacts, name: str) -> str:
    """A setting without blanks and quotes around it; empty when it is not set."""
    setting = ollama.settings.get(name)
    return setting.value.strip().strip("\"'").strip() if setting is not None else ""


def number(ollama: OllamaFacts, name: str) -> int | None:
    """A setting that is a whole number. None when it is unset or no number; Ollama then takes its default."""
    value = text(ollama, name)
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 18 else None


def flag(ollama: OllamaFacts, name: str) -> bool | None:
    """A boolean setting. None when unset; what Go cannot parse counts as true (ollama envconfig/config.go)."""
    value = text(ollama, name)
    if not value:
        return None
    return value not in _FALSE
