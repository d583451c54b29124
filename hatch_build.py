"""Build hook: ship the recipes inside the wheel, with the compiled form that makes them quick to open."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class RecipesHook(BuildHookInterface):  # type: ignore[type-arg]
    """Puts recipes/*.toml and their compiled form into llamaexit/recipes/builtin, the examples into a folder in it."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the recipes; `version` is `editable` for a development install, `standard` for a real wheel."""
        root = Path(self.root)
        sys.path.insert(0, str(root / "src"))
        from llamaexit.recipes.compile import FILE_NAME, compile_folder, recipe_files

        inside = "llamaexit/recipes/builtin"
        compiled = compile_folder(root / "recipes")
        if version == "editable":
            # the package is the source tree then, and reads the TOML from recipes/
            target = root / "src" / inside / FILE_NAME
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(compiled)
            return
        self._scratch = tempfile.TemporaryDirectory()
        scratch = Path(self._scratch.name) / FILE_NAME
        scratch.write_bytes(compiled)
        for path in (scratch, *recipe_files(root / "recipes")):
            build_data["force_include"][str(path)] = f"{inside}/{path.name}"
        for path in recipe_files(root / "recipes" / "examples"):
            build_data["force_include"][str(path)] = f"{inside}/examples/{path.name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the scratch folder once the wheel is written."""
        if version != "editable":
            self._scratch.cleanup()
