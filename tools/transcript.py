"""Write what the README shows: a plan as text, and the picture of one, both made from docs/examples/workstation.json.

python tools/transcript.py            rewrites them
python tools/transcript.py --check    changes nothing, fails when one of them is out of date
"""

from __future__ import annotations

import io
import os
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from llamaexit.documents import SnapshotReader
from llamaexit.planning.options import PlanOptions
from llamaexit.planning.plan import Plan
from llamaexit.planning.planner import make_plan
from llamaexit.recipes.load import load_library
from llamaexit.report.plan import print_plan

ROOT = Path(__file__).resolve().parents[1]
SNAPSHOT = Path("docs/examples/workstation.json")
PICTURE = ROOT / "docs" / "images" / "plan.svg"
README = ROOT / "README.md"
BEGIN, END = "<!-- transcript: made by tools/transcript.py -->", "<!-- end of transcript -->"
SHOWN = "llama3.1:8b"
TEXT_WIDTH, PICTURE_WIDTH, PICTURE_LINES = 100, 124, 44


def pages() -> dict[Path, str]:
    """Every file this makes, with what it should hold."""
    readme = README.read_text("utf-8")
    head, rest = readme.split(BEGIN)
    tail = rest.split(END)[1]
    return {README: f"{head}{BEGIN}\n\n{transcript()}\n{END}{tail}", PICTURE: picture()}


def transcript() -> str:
    """The plan for one model, as a terminal of 100 columns shows it."""
    command = f"llamaexit plan --snapshot {SNAPSHOT} {SHOWN}"
    console = Console(file=io.StringIO(), width=TEXT_WIDTH, color_system=None)
    print_plan(plan_for(SHOWN), console, command=command)
    assert isinstance(console.file, io.StringIO)
    lines = [line.rstrip() for line in console.file.getvalue().splitlines()]
    return "\n".join(["```console", f"$ {command}", *lines, "```"])


def picture() -> str:
    """The first screen of the plan for the whole workstation, in colour."""
    screen = Console(file=io.StringIO(), width=PICTURE_WIDTH, force_terminal=True, color_system="standard")
    print_plan(plan_for(), screen)
    assert isinstance(screen.file, io.StringIO)
    lines = screen.file.getvalue().splitlines()[:PICTURE_LINES]
    recorder = Console(file=io.StringIO(), width=PICTURE_WIDTH, record=True, force_terminal=True)
    recorder.print(Text.from_ansi("\n".join(["$ llamaexit plan", *lines, "…"])))
    return recorder.export_svg(title="llamaexit plan", unique_id="plan")


def plan_for(*models: str) -> Plan:
    """The plan for the example, or for some of its models."""
    snapshot = SnapshotReader().load(ROOT / SNAPSHOT)
    return make_plan(snapshot, load_library(), PlanOptions(models=models))


def said(path: Path, text: str | None = None) -> object:
    """What a page says. Of a picture, the words only: releases of Rich draw the frame around them otherwise."""
    text = path.read_text("utf-8") if text is None else text
    return re.findall(r"<text[^>]*>([^<]*)<", text) if path.suffix == ".svg" else text


def main(arguments: list[str]) -> int:
    """Write the files, or with --check name those that are out of date."""
    # What the terminal of the moment can do must not show in them.
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES"):
        os.environ.pop(name, None)
    os.environ["TERM"] = "xterm-256color"
    if arguments == ["--check"]:
        stale = [path for path, text in pages().items() if not path.is_file() or said(path) != said(path, text)]
        for path in stale:
            print(f"error: {path.relative_to(ROOT)} is out of date", "  next: make reference", sep="\n")
        return 1 if stale else 0
    for path, text in pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
