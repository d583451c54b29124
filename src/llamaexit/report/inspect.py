"""A snapshot for reading in a terminal: the machine, its Ollama, and which models are Llama."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from llamaexit.report import words
from llamaexit.report.layout import Page
from llamaexit.units import gb, gib

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.snapshot import Gpu, InstalledModel, Machine, OllamaFacts, Ram, Snapshot

_WIDE = 120
_NARROW = 72
_ORDER = ("meta", "unknown", "not-meta")
_VERDICT = {"meta": ("Llama", "yellow"), "not-meta": ("no", "green"), "unknown": ("unknown", "red")}


def print_snapshot(
    snapshot: Snapshot,
    console: Console,
    *,
    saved_as: Path | None = None,
    verbose: bool = False,
    following: str = "llamaexit plan",
) -> None:
    """Print what was found. `following` is the command that plans for the same machine."""
    page = Page(console)
    _machine(page, snapshot.machine, verbose)
    page.blank()
    _ollama(page, snapshot.ollama)
    page.blank()
    _models(page, snapshot, verbose)
    _problems(page, snapshot)
    if snapshot.ollama.source == "none" and saved_as is None:
        return  # the problems say what would help
    page.blank()
    if saved_as is not None:
        page.line(f"Snapshot written to {saved_as}.")
    if any(_verdict(model) == "meta" or _undecided(model) for model in snapshot.models):
        page.command("Next", following)
    elif saved_as is None:
        page.line("Nothing here is known to be Llama.")


def _machine(page: Page, machine: Machine, verbose: bool) -> None:
    page.line("Machine", "bold")
    system = machine.system
    inside = [text for text in ("WSL" if system.wsl else "", system.container or "") if text]
    page.row(
        "System", " ".join(filter(None, (system.os, system.release, system.architecture, *map("({})".format, inside))))
    )
    cpu = machine.cpu
    cores = [
        f"{cpu.physical_cores} cores" if cpu.physical_cores else "",
        f"{cpu.logical_cores} threads" if cpu.logical_cores else "",
    ]
    quota = f"limited to {cpu.quota:g} cores" if cpu.quota is not None else ""
    page.row("CPU", ", ".join(filter(None, (cpu.model or "model not known", *cores, quota))))
    page.row("RAM", _ram(machine.ram))
    page.row("GPU", [_gpu(gpu) for gpu in machine.gpus] or "none found")
    disk = machine.disk
    page.row("Disk", f"{gb(disk.free)} free of {gb(disk.total)}, for {disk.path}" if disk else "not known")
    page.row("As stated", "; ".join(machine.overrides) or ())
    shown = machine.probes if verbose else [probe for probe in machine.probes if probe.outcome == "broken"]
    page.row(
        "Probes",
        [f"{p.name}: {p.outcome}{f', {p.detail}' if p.detail else ''}" for p in shown],
        "" if verbose else "yellow",
    )


def _ram(ram: Ram) -> list[str]:
    lines = [f"{gib(ram.total)}, {gib(ram.available)} available; swap {gib(ram.swap_total)}"]
    if ram.limit is not None:
        headroom = f", {gib(ram.headroom)} of it left" if ram.headroom is not None else ""
        lines.append(f"limited to {gib(ram.limit)}{headroom} ({ram.limit_source or 'cgroup'})")
    return lines


def _gpu(gpu: Gpu) -> str:
    memory = f"{gib(gpu.total)}" if gpu.total is not None else "memory not told by the driver"
    free = f", {gib(gpu.free)} free" if gpu.free is not None else ""
    shared = ", shared with main memory" if gpu.shares_ram else ""
    driver = f", driver {gpu.driver}" if gpu.driver else ""
    return f"{gpu.name} ({gpu.kind}): {memory}{free}{shared}{driver}{f'; {gpu.note}' if gpu.note else ''}"


def _ollama(page: Page, ollama: OllamaFacts) -> None:
    page.line("Ollama", "bold")
    where = {"server": f"server at {ollama.url}", "store": f"store {ollama.store}, read from disk", "none": "not found"}
    page.row("Where", where[ollama.source])
    page.row("Version", ollama.version or "not known")
    if ollama.source == "server":
        page.row("Store", ollama.store or "not known")
    settings = [f"{name}={setting.value} ({setting.source})" for name, setting in sorted(ollama.settings.items())]
    page.row("Settings", settings or "none seen, Ollama's defaults apply")
    page.row("Loaded", [_loaded(item.name, item.size, item.size_vram, item.context_length) for item in ollama.loaded])


def _loaded(name: str, size: int, on_gpu: int, context: int | None) -> str:
    share = words.percent(on_gpu / size) if size else "0%"
    return f"{name}: {gib(size)}, {share} on the GPU" + (f", {context} tokens" if context else "")


def _models(page: Page, snapshot: Snapshot, verbose: bool) -> None:
    models = sorted(snapshot.models, key=lambda model: (_ORDER.index(_verdict(model)), model.name.lower()))
    if not models:
        page.line("No models" if snapshot.ollama.source != "none" else "Which models are here is not known", "bold")
        return
    llama = sum(_verdict(model) == "meta" for model in models)
    page.line(f"{words.counted(len(models), 'model')}, {llama} of them Llama", "bold")
    if page.width >= _WIDE and not verbose:
        _wide_table(page, models)
    elif page.width < _NARROW or verbose:
        for model in models:
            _block(page, model, verbose)
    else:
        _table(page, models)


def _table(page: Page, models: list[InstalledModel]) -> None:
    head = ("NAME", "LLAMA?", "SIZE", "QUANT", "PARAMS", "CONTEXT")
    rows: list[list[str | Text]] = [[model.name, _llama(model), *_facts(model)] for model in models]
    page.table(head, rows, right=(2, 4, 5), wrap=(0,), indent=2)
    page.blank()
    for model in models:
        page.line(Text(f"{model.name}: ").append(_because(model), style="dim"), indent=2, hang=2)


def _wide_table(page: Page, models: list[InstalledModel]) -> None:
    size, quant, params, context = (list(column) for column in zip(*map(_facts, models), strict=True))
    columns: list[tuple[str, list[str | Text], bool]] = [
        ("NAME", [model.name for model in models], False),
        ("LLAMA?", [_llama(model) for model in models], False),
        ("SIZE", [*size], True),
        ("FREES", ["" if model.exclusive is None else gb(model.exclusive) for model in models], True),
        ("QUANT", [*quant], False),
        ("PARAMS", [*params], True),
        ("CONTEXT", [*context], True),
        ("ALSO", [_also(model) for model in models], False),
        ("BUILT FROM", [model.parent or "" for model in models], False),
        ("LAST USED", [(model.last_used or "")[:10] for model in models], False),
        ("BECAUSE", [Text(_because(model), style="dim") for model in models], False),
    ]
    shown = [column for column in columns if any(column[1])]
    titles = [title for title, _, _ in shown]
    page.table(
        titles,
        [[cells[row] for _, cells, _ in shown] for row in range(len(models))],
        right=[index for index, (_, _, right) in enumerate(shown) if right],
        wrap=[titles.index(title) for title in ("BECAUSE", "NAME", "BUILT FROM") if title in titles],
        indent=2,
    )


def _also(model: InstalledModel) -> str:
    """Capabilities beyond the one that every model has."""
    return ", ".join(capability for capability in model.capabilities or () if capability != "completion")


def _block(page: Page, model: InstalledModel, verbose: bool) -> None:
    page.line(Text(model.name, style="bold").append("  ").append(_llama(model)), indent=2)
    evidence = model.lineage.evidence if model.lineage is not None else ()
    reasons = [f"{item.text} ({item.rule}, {item.strength})" for item in evidence] if verbose else [_because(model)]
    page.row("Because", reasons, indent=4)
    size, quant, params, context = _facts(model)
    frees = f", deleting it frees {gb(model.exclusive)}" if model.exclusive is not None else ""
    page.row("Size", f"{size}{frees}" if size else (), indent=4)
    page.row("Build", ", ".join(filter(None, (params, quant, model.family))) or (), indent=4)
    page.row("Context", f"{context} tokens" if context else (), indent=4)
    page.row("Can do", ", ".join(model.capabilities or ()) or (), indent=4)
    page.row("Built from", model.parent or (), indent=4)
    if model.last_used:
        source = f" ({model.last_used_source})" if model.last_used_source else ""
        page.row("Last used", f"{model.last_used}{source}", indent=4)
    if verbose:
        page.row("Digest", model.digest or (), indent=4)


def _verdict(model: InstalledModel) -> str:
    return model.lineage.verdict if model.lineage is not None else "unknown"


def _undecided(model: InstalledModel) -> bool:
    """Whether a plan would ask about it."""
    return _verdict(model) == "unknown" and model.remote is None and model.problem is None


def _llama(model: InstalledModel) -> Text:
    word, style = _VERDICT[_verdict(model)]
    return Text(word, style=style)


def _because(model: InstalledModel) -> str:
    return words.lineage(model.lineage) if model.lineage is not None else "nobody looked"


def _facts(model: InstalledModel) -> tuple[str, str, str, str]:
    size = "cloud" if model.remote else gb(model.size) if model.size else ""
    return size, model.quantization, model.parameter_size, str(model.context_length or "")


def _problems(page: Page, snapshot: Snapshot) -> None:
    broken = [f"{model.name}: {model.problem}" for model in snapshot.models if model.problem]
    problems = [*snapshot.ollama.problems, *broken]
    if problems:
        page.blank()
        page.items("Problems", problems, "yellow", indent=0)
