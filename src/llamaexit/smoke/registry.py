"""All checks, in the order in which they are put. A new one is a file in `checks` and a line here.

What is most likely to stop a switch comes first, what only full suites ask comes later, and what needs /v1 last.
"""

from __future__ import annotations

from llamaexit.smoke.check import Check
from llamaexit.smoke.checks import (
    chat_midsystem,
    json_mode,
    json_naive,
    json_schema,
    json_v1,
    lang_stay,
    load_after,
    load_residency,
    perf_rate,
    perf_turn2,
    perf_useful,
    persona,
    reason_mini,
    sane_text,
    stop_clean,
    stream_shape,
    stream_v1,
    system_obey,
    think_naive,
    think_off_chat,
    think_off_generate,
    think_off_v1,
    think_on,
    tools_choice,
    tools_diverse,
    tools_format,
    tools_naive,
    tools_payload,
    tools_restraint,
    tools_roundtrip,
    tools_single,
    tools_stream,
    tools_v1,
)

CHECKS: tuple[Check, ...] = (
    load_residency.CHECK,
    sane_text.CHECK,
    think_naive.CHECK,
    think_off_chat.CHECK,
    think_off_generate.CHECK,
    stop_clean.CHECK,
    system_obey.CHECK,
    stream_shape.CHECK,
    json_schema.CHECK,
    tools_single.CHECK,
    tools_choice.CHECK,
    tools_roundtrip.CHECK,
    tools_payload.CHECK,
    tools_stream.CHECK,
    lang_stay.CHECK,
    chat_midsystem.CHECK,
    think_on.CHECK,
    perf_rate.CHECK,
    perf_useful.CHECK,
    json_naive.CHECK,
    json_mode.CHECK,
    reason_mini.CHECK,
    tools_naive.CHECK,
    tools_diverse.CHECK,
    tools_restraint.CHECK,
    tools_format.CHECK,
    persona.CHECK,
    perf_turn2.CHECK,
    load_after.CHECK,
    think_off_v1.CHECK,
    stream_v1.CHECK,
    json_v1.CHECK,
    tools_v1.CHECK,
)

ADVISORY = frozenset(check.id for check in CHECKS if check.advisory)
"""Ids of the checks that never stop a switch, whatever they find and even when they could not be asked."""
