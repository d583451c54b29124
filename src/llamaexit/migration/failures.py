"""What stops a migration. Raised before a run begins, or kept in its journal as the reason it stopped."""

from __future__ import annotations

from llamaexit.errors import REFUSED, LlamaexitError
from llamaexit.migration.record import Failure


class Refused(LlamaexitError):
    """Nothing was begun: the plan cannot be carried out as things are."""

    code = "refused"
    exit_code = REFUSED


class Stale(Refused):
    """The plan was made from facts that are no longer true."""

    code = "stale"


class Locked(Refused):
    """Another migration is at work on the same Ollama."""

    code = "locked"


class NoSuchRun(Refused):
    """No run has such an id, or several have."""

    code = "no-such-run"


class JournalError(LlamaexitError):
    """The journal of a run cannot be written or read. Without it nothing may be changed."""

    code = "journal"


class StepFailed(LlamaexitError):
    """One step of a run did not come true. `code` says which kind of failure it was."""

    def __init__(self, code: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.kind = code


def failure_of(error: LlamaexitError) -> Failure:
    """An error as the journal keeps it."""
    code = error.kind if isinstance(error, StepFailed) else error.code
    return Failure(code, error.message, error.hint, error.exit_code)
