"""Memory and fit: what a model takes at a context under one Ollama on one machine, and where each figure comes from."""

from __future__ import annotations

from llamaexit.memory.estimate import DeviceUse, Estimate, Fit, Interval, Part
from llamaexit.memory.estimator import estimate
from llamaexit.memory.spec import ModelSpec, spec_of_installed, spec_of_origin, spec_of_table, spec_of_target

__all__ = [
    "DeviceUse",
    "Estimate",
    "Fit",
    "Interval",
    "ModelSpec",
    "Part",
    "estimate",
    "spec_of_installed",
    "spec_of_origin",
    "spec_of_table",
    "spec_of_target",
]
