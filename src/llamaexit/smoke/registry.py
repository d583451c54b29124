"""All checks, in the order in which they are put. A new one is a file in `checks` and a line here."""

from __future__ import annotations

from llamaexit.smoke.check import Check
from llamaexit.smoke.checks import load_residency, sane_text

CHECKS: tuple[Check, ...] = (
    load_residency.CHECK,
    sane_text.CHECK,
)

ADVISORY = frozenset(check.id for check in CHECKS if check.advisory)
"""Ids of the checks that never stop a switch, whatever they find and even when they could not be asked."""
