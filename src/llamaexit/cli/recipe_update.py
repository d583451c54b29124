"""Carrying out `llamaexit recipe update`: what locked references mean now, what that changes, and locking it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from llamaexit.cli.answer import Result
from llamaexit.cli.recipe_lock import LockRequest, look, save
from llamaexit.errors import PENDING
from llamaexit.sharing import LOCK_FILE


def run_update(request: LockRequest, *, check: bool) -> Result:
    """Show what would change, and lock it; with `check` only show it.

    Raises LockError where there is no lock, and RecipeError or Untrusted for recipes that cannot be used.
    """
    from llamaexit.report.recipe_update import LockOutcome, lock_document, print_update
    from llamaexit.sharing.updating import compare_libraries, compare_locks, locked_library, not_compared

    looked = look(request, afresh=True)
    assert looked.old is not None
    comparison = compare_locks(looked.old, looked.lock)
    if comparison.different:
        before, notes = locked_library(looked.old, Path(LOCK_FILE), looked.project, looked.access.sources_with)
        changes = compare_libraries(before, looked.taken.library)
        comparison = replace(comparison, changes=changes, notes=(*notes, *not_compared(comparison)))
    written = save(looked) if not check else False
    outcome = LockOutcome(
        LOCK_FILE, looked.lock, comparison, looked.taken.held_back, looked.notes, written=written, checked=check
    )
    pending = check and comparison.different
    return Result(lock_document(outcome), partial(print_update, outcome), exit_code=PENDING if pending else 0)
