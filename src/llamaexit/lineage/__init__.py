"""Whose weights is a model built on, and how do we know?

Pure decisions from facts that were read before: the model as installed, the recipes, and the other installed models.
Every rule has a stable name; docs/reference/lineage.md lists them with their strength and an example.
"""

from __future__ import annotations

from llamaexit.lineage.assess import assess, assess_all, is_matter_of_policy, question, with_answer

__all__ = ["assess", "assess_all", "is_matter_of_policy", "question", "with_answer"]
