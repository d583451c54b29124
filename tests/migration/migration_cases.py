"""Plans that migrations are tested with, made by the planner from models as a server lists them."""

from __future__ import annotations

from functools import cache
from typing import Any

from planning_cases import installed, snapshot

from llamaexit.lineage import assess_all
from llamaexit.planning.options import PlanOptions
from llamaexit.planning.plan import Plan
from llamaexit.planning.planner import make_plan
from llamaexit.recipes.library import Library
from llamaexit.recipes.load import load_library

LLAMA = {
    "metadata": {"general.architecture": "llama", "general.basename": "Meta-Llama-3.1", "general.license": "llama3.1"},
    "capabilities": ("completion", "tools"),
    "size": 4_920_753_328,
    "context_length": 131_072,
    "quantization": "Q4_K_M",
    "parameter_size": "8.0B",
}


@cache
def library() -> Library:
    """The built-in recipes."""
    return load_library()


def llama(name: str = "llama3.1:8b", **facts: Any) -> Any:
    """An installed Llama 3.1 8B under any name."""
    return installed(name, **{**LLAMA, **facts})


def bot(name: str = "team-bot:latest", **facts: Any) -> Any:
    """A custom model built FROM llama3.1:8b with a SYSTEM prompt and parameters."""
    facts = {
        "parent": "llama3.1:8b",
        "system": True,
        "parameters": {"num_ctx": 8192, "temperature": 0.2, "stop": ["<|eot_id|>", "END"]},
        **facts,
    }
    return llama(name, **facts)


def plan_of(*models: Any, where: str = "an RTX 4090", **options: Any) -> Plan:
    """The plan for a machine with these models."""
    taken = snapshot(where, *assess_all(tuple(models), library()))
    return make_plan(taken, library(), PlanOptions(**options))
