"""Print constraints that hold every runtime dependency at the lowest version pyproject.toml allows.

python -m pip install --constraint <(python tools/lowest.py) .
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = Path(__file__).resolve().parents[1]


def lowest(requirement: Requirement) -> str:
    """`name==version` for a requirement with exactly one `>=`."""
    bounds = [specifier.version for specifier in requirement.specifier if specifier.operator == ">="]
    if len(bounds) != 1:
        raise SystemExit(f"{requirement}: a dependency needs one lower bound (>=)")
    return f"{requirement.name}=={bounds[0]}"


def main() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    optional = [one for group in project.get("optional-dependencies", {}).values() for one in group]
    for text in [*project["dependencies"], *optional]:
        print(lowest(Requirement(text)))


if __name__ == "__main__":
    main()
