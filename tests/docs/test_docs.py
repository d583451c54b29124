"""The documentation says what the program does: generated pages are current, and commands in examples exist."""

from __future__ import annotations

import importlib
import pkgutil
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

import llamaexit
from llamaexit.documents import SnapshotReader
from llamaexit.errors import LlamaexitError
from llamaexit.recipes.load import load_library
from llamaexit.recipes.model import Use
from llamaexit.units import MIB

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]


def commands_shown(page: Path) -> Iterator[str]:
    """Every `llamaexit …` that a page tells its readers to type, in a console block or between backticks."""
    text = page.read_text("utf-8")
    yield from re.findall(r"^\$ (?:sudo )?(llamaexit .*)$", text, re.MULTILINE)
    yield from re.findall(r"`(llamaexit [a-z][^`]*)`", text)


SHOWN = sorted({(str(page.relative_to(ROOT)), command) for page in PAGES for command in commands_shown(page)})


@pytest.fixture(scope="module")
def reference() -> dict[str, str]:
    """The section of the command reference about each command."""
    text = (ROOT / "docs/reference/commands.md").read_text("utf-8")
    sections = re.split(r"^## ", text, flags=re.MULTILINE)
    return {"llamaexit": sections[0], **{section.split("`")[1]: section for section in sections[1:]}}


def test_pages_made_from_the_code_are_current() -> None:
    changes = runpy.run_path(str(ROOT / "tools" / "reference.py"))["stale"]()

    assert "\n".join(changes) == ""


@pytest.mark.parametrize(("page", "command"), SHOWN, ids=[f"{page}: {command}" for page, command in SHOWN])
def test_command_shown_to_readers_exists_with_its_options(page: str, command: str, reference: dict[str, str]) -> None:
    known = max((name for name in reference if f"{command} ".startswith(f"{name} ")), key=len)
    argument = command.removeprefix(known).split()[:1]
    options = set(re.findall(r"(?<= )--[a-z-]+", command)) - {"--help"}

    assert known != "llamaexit" or not argument or argument[0].startswith("-"), "there is no such command"
    assert [option for option in options if f"`{option}`" not in reference[known]] == []


def test_error_codes_are_all_documented() -> None:
    for module in pkgutil.walk_packages(llamaexit.__path__, "llamaexit."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    families, codes = [LlamaexitError], set()
    while families:
        family = families.pop()
        codes.add(family.code)
        families += family.__subclasses__()
    page = (ROOT / "docs/reference/json-output.md").read_text("utf-8")

    assert [code for code in sorted(codes) if f"`{code}`" not in page] == []


def test_relative_links_lead_to_files() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]

    assert broken == []


def test_uses_are_all_documented() -> None:
    page = (ROOT / "docs/reference/uses.md").read_text("utf-8")

    assert set(re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)) == set(get_args(Use))


def test_models_of_the_example_have_the_shapes_and_bytes_of_the_published_ones() -> None:
    library = load_library()
    for model in SnapshotReader().load(ROOT / "docs/examples/workstation.json").models:
        record = library.origin_by_manifest(model.digest or "") or library.origin(model.parent or "")
        assert record is not None and record.shape is not None and model.shape is not None, model.name
        names = ("architecture", "layers", "hidden", "heads", "kv_heads", "feed_forward", "vocab")
        assert [getattr(model.shape, name) for name in names] == [getattr(record.shape, name) for name in names]
        if model.weights is not None:
            header = record.weights_size - model.weights.total  # metadata and vocabulary stand before the tensors
            assert 0 < header < 16 * MIB, model.name


def test_old_models_of_the_example_are_known_to_a_few_per_cent() -> None:
    plan = runpy.run_path(str(ROOT / "tools" / "transcript.py"))["plan_for"]()
    sizes = [d.source.fit.true_size for d in plan.decisions if d.source.fit.unloaded.placement != "none"]
    assert len(sizes) == 3
    assert all(size.high - size.low < 0.04 * size.expected for size in sizes)
