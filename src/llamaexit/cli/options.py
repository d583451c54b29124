"""Options that several commands share. What is written after them is understood in `values`."""

from __future__ import annotations

from contextvars import ContextVar
from pathlib import Path
from typing import Annotated

import typer

TYPED: ContextVar[tuple[str, ...]] = ContextVar("TYPED", default=("plan",))
"""The arguments of this run as they were typed, for the next commands to build on."""
_WHERE = "Where to look"
_MACHINE = "Another machine"
_OUTPUT = "Output"

Host = Annotated[
    str | None,
    typer.Option("--host", metavar="URL", rich_help_panel=_WHERE, help="Ollama server; default: OLLAMA_HOST."),
]
Store = Annotated[
    Path | None,
    typer.Option(
        "--store", metavar="DIR", rich_help_panel=_WHERE, help="Read this model store instead of asking a server."
    ),
]
Timeout = Annotated[
    str,
    typer.Option("--timeout", metavar="SECONDS", rich_help_panel=_WHERE, help="Longest wait for one answer."),
]
Recipes = Annotated[
    list[str] | None,
    typer.Option(
        "--recipe", metavar="FILE", help="Rules and policy of your own, a file or an address; repeat for several."
    ),
]
Locked = Annotated[
    bool | None,
    typer.Option(
        "--locked/--no-locked",
        help="Use no recipe but as llamaexit.lock has it. Default: yes where CI is set.",
        show_default=False,
    ),
]
Uses = Annotated[
    list[str] | None,
    typer.Option("--use", metavar="MODEL=USE[,USE]", help="What a model serves: chat, tools, code, fim, vision …"),
]
Context = Annotated[
    str | None, typer.Option("--context", metavar="TOKENS", help="Context to reckon with, such as 8192 or 32k.")
]
Only = Annotated[list[str] | None, typer.Option("--only", metavar="PATTERN", help="Only models that match.")]
Skip = Annotated[list[str] | None, typer.Option("--skip", metavar="PATTERN", help="Leave out what matches.")]
Lineages = Annotated[
    list[str] | None,
    typer.Option("--lineage", metavar="MODEL=meta|not-meta", help="Your answer where lineage is unknown."),
]
Thinking = Annotated[
    str | None,
    typer.Option("--thinking", metavar="avoid|allow", help="Whether a target may think before it answers."),
]
Vram = Annotated[
    list[str] | None,
    typer.Option(
        "--vram", metavar="SIZE", rich_help_panel=_MACHINE, help="GPU memory, such as 24GiB; repeat for several cards."
    ),
]
Ram = Annotated[
    str | None, typer.Option("--ram", metavar="SIZE", rich_help_panel=_MACHINE, help="Main memory, such as 64GiB.")
]
GpuNames = Annotated[
    list[str] | None,
    typer.Option(
        "--gpu", metavar="NAME", rich_help_panel=_MACHINE, help='A card, such as "RTX 4090"; repeat for several.'
    ),
]
Suites = Annotated[
    str, typer.Option("--suite", metavar="quick|full|none", help="Which smoke tests: a few minutes, all, or none.")
]
Patience = Annotated[
    str | None,
    typer.Option(
        "--timeout", metavar="SECONDS", help="Longest wait for one answer of a model. Default: what each test needs."
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; for scripts.")]
RunId = Annotated[
    str | None,
    typer.Argument(metavar="RUN", help="Id of a run, or a part of it that no other has. Default: the newest."),
]
Json = Annotated[bool, typer.Option("--json", rich_help_panel=_OUTPUT, help="Answer in JSON, also on failure.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", rich_help_panel=_OUTPUT, help="Show every figure.")]
Debug = Annotated[bool, typer.Option("--debug", rich_help_panel=_OUTPUT, help="Show the traceback of a failure.")]
