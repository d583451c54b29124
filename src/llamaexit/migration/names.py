"""Names a migration makes in Ollama: backups that keep old layers alive, and models that are being prepared.

Both live in namespaces of their own, which plans and inventories leave out.
"""

from __future__ import annotations

from llamaexit.planning.sources import KEEP_NAMESPACE, STAGE_NAMESPACE


def backup_name(digest: str) -> str:
    """The name under which the model with this manifest digest (64 hex digits) is kept.

    It is made from what it holds, so backing the same model up twice gives one name, and a backup can be checked.
    """
    return f"{KEEP_NAMESPACE}/{digest}:latest"


def backup_digest(name: str) -> str | None:
    """The digest a backup name promises; None for any other name."""
    namespace, _, rest = name.lower().partition("/")
    model = rest.partition(":")[0]
    if namespace != KEEP_NAMESPACE or len(model) != 64 or not set(model) <= set("0123456789abcdef"):
        return None
    return model


def stage_name(run: str, number: int) -> str:
    """The name under which a run prepares its `number`-th model."""
    return f"{STAGE_NAMESPACE}/{run}-{number}:latest"
