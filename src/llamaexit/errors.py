"""The errors a person may meet, grouped by who can fix them.

Every error is one line: what happened, to which thing; `hint` says what to do next. The exit codes are
documented in docs/reference/exit-codes.md and are part of the interface.
"""

from __future__ import annotations

from typing import ClassVar

FAILED = 1
"""Something went wrong; nothing was changed, or everything was undone."""
USAGE = 2
"""The command line is wrong (also what Typer exits with)."""
PENDING = 3
"""There is work to do (`plan --check`)."""
REFUSED = 4
"""Refused before changing anything: stale, locked, untrusted, incompatible, blocked."""
HALFWAY = 5
"""Stopped half-way; the message names the run and the command that goes on."""
INTERRUPTED = 130
"""Stopped by the user."""


class LlamaexitError(Exception):
    """What happened and to which thing, in one line. `code` is stable and appears in `--json` answers."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = FAILED

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(LlamaexitError):
    """The command line asks for something that cannot be meant."""

    code = "usage"
    exit_code = USAGE


class OllamaError(LlamaexitError):
    """The Ollama server did not answer as an Ollama server should."""

    code = "ollama"


class StoreError(LlamaexitError):
    """The model store on disk cannot be read."""

    code = "store"


class RegistryError(LlamaexitError):
    """The model registry could not be asked."""

    code = "registry"


class GgufError(LlamaexitError):
    """A GGUF file is damaged, hostile, or not GGUF at all."""

    code = "gguf"


class RecipeError(LlamaexitError):
    """A recipe is wrong. `problems` lists every one found, each naming its file and key path."""

    code = "recipe"
    exit_code = REFUSED

    def __init__(self, message: str, *, hint: str | None = None, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.problems = problems


class DocumentError(LlamaexitError):
    """A snapshot or plan file is unreadable, of another kind, or of a newer version."""

    code = "document"
    exit_code = REFUSED
