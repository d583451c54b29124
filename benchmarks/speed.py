"""How fast llamaexit is, as ratios measured in one run on one machine.

    python benchmarks/speed.py            the real thing, about a minute
    python benchmarks/speed.py --quick    few repeats and small inputs: does it still run?

Commands that are compared are run in turn, so that whatever else the machine does meets both. Medians are printed with
the fastest run beside them. Nothing here fails because something is slow; it fails when something does not work.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from standin import Model, Standin, Store, gguf  # noqa: E402

MIB = 1024**2
_LONG_RUN = 1_000
"""Machines from which on start-up is a small part of the time."""
EMPTY_APP = '''\
import typer

app = typer.Typer()


@app.callback(invoke_without_command=True)
def main(version: bool = typer.Option(False, "--version")) -> None:
    if version:
        print("empty 0")


@app.command()
def plan() -> None:
    """Do nothing."""


app()
'''
LOAD_RECIPES = """\
import time
started = time.perf_counter()
from llamaexit.recipes.load import load_library
imported = time.perf_counter()
load_library((), project=None, user=None)
print(imported - started, time.perf_counter() - imported)
"""
PEAK_MEMORY = """\
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024))
"""

Command = Sequence[str | Path]


@dataclass(frozen=True)
class Row:
    """One line of the table. `kept` tells whether the target was met, None where there is none or it says nothing."""

    what: str
    figure: str
    target: str
    kept: bool | None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few repeats, small inputs")
    quick = parser.parse_args().quick
    repeats = 3 if quick else 25
    with tempfile.TemporaryDirectory(prefix="llamaexit-speed-") as name:
        directory = Path(name)
        (directory / "home").mkdir()
        print(machine())
        with Standin(twenty_models()) as ollama:
            environment = surroundings(directory / "home", ollama.url)
            show(start_up(directory, environment, repeats))
            show(plan_twenty(directory, environment, ollama, repeats))
            show(recipes(environment, repeats))
            show(fleet(directory, environment, (20, 200) if quick else (1_000, 10_000)))


# What is measured ----------------------------------------------------------------------------------------------------


def start_up(directory: Path, environment: Mapping[str, str], repeats: int) -> Iterator[Row]:
    """What a user waits for before anything happens, beside a program of the same framework that does nothing."""
    empty = directory / "empty.py"
    empty.write_text(EMPTY_APP, "utf-8")
    for option in ("--version", "--help"):
        ours, theirs = alternate([[llamaexit(), option], [sys.executable, empty, option]], environment, repeats)
        ratio = statistics.median(ours) / statistics.median(theirs)
        yield Row(
            f"llamaexit {option}",
            f"{times(ours)}; empty Typer app {times(theirs)}; {ratio:.2f} ×",
            "≤ 1.20 ×",
            ratio <= 1.2,
        )


def plan_twenty(directory: Path, environment: Mapping[str, str], ollama: Standin, repeats: int) -> Iterator[Row]:
    """A plan for a machine with twenty models, beside llmfit recommending on the same machine."""
    command: Command = [llamaexit(), "plan", "--json"]
    ollama.log.clear()
    answer = json.loads(run(command, environment))
    asked = Counter((one.method, one.path, json.dumps(one.body, sort_keys=True)) for one in ollama.log)
    decided = Counter(decision["action"] for decision in answer["data"]["decisions"])
    listed = ", ".join(f"{count} {action}" for action, count in sorted(decided.items()))
    yield Row("plan --json, 20 models installed", f"decided: {listed or 'nothing'}", "", None)
    paths = Counter(one.path.removeprefix("/api/") for one in ollama.log)
    listed = ", ".join(f"{count} {path}" for path, count in paths.items())
    twice = asked.total() - len(asked)
    yield Row("requests", f"{listed}; asked twice: {twice}; at once: up to {ollama.busiest}", "none twice", twice == 0)

    llmfit, missing = find_llmfit(directory)
    if llmfit is None:
        (ours,) = alternate([command], environment, repeats)
        yield Row("time", f"{times(ours)}; llmfit left out: {missing}", "≤ llmfit", None)
    else:
        ours, theirs = alternate([command, [llmfit, "recommend", "--json"]], environment, repeats)
        ratio = statistics.median(ours) / statistics.median(theirs)
        yield Row("time", f"{times(ours)}; llmfit {times(theirs)}; {ratio:.2f} ×", "≤ 1.00 ×", ratio <= 1.0)

    if sys.platform == "win32":
        yield Row("peak memory", "not measured on Windows", "≤ 60 MiB", None)
    else:
        watched: Command = [sys.executable, "-S", "-c", PEAK_MEMORY, *command]
        peak = max(int(run(watched, environment)) for _ in range(3))
        yield Row("peak memory", f"{peak / MIB:.1f} MiB", "≤ 60 MiB", peak <= 60 * MIB)


def recipes(environment: Mapping[str, str], repeats: int) -> Iterator[Row]:
    """Loading the built-in recipes, each time in a new process."""
    pairs = [run([sys.executable, "-c", LOAD_RECIPES], environment).split() for _ in range(repeats)]
    importing, loading = ([float(value) for value in column] for column in zip(*pairs, strict=True))
    yield Row(
        "load the built-in recipes",
        f"{times(loading)}; importing the loader {times(importing)}",
        "≤ 15 ms",
        statistics.median(loading) <= 0.015,
    )


def fleet(directory: Path, environment: Mapping[str, str], counts: tuple[int, int]) -> Iterator[Row]:
    """A plan for each of many machines, on one core: how many a second, and whether more of them cost more each.

    Starting up is part of the first figure, which is why only runs of a thousand and more are held to a target, and
    taken out of the second.
    """
    pattern = json.loads(run([llamaexit(), "inspect", "--json"], environment))["data"]
    seconds = {}
    with one_core() as pinned:
        for count in (1, *counts):
            folder = directory / f"fleet-{count}"
            write_fleet(folder, pattern, count)
            answer = directory / "plans.json"
            started = time.perf_counter()
            with answer.open("wb") as output:
                command = [llamaexit(), "plan", "--snapshot", folder, "--json"]
                subprocess.run(command, env=environment, stdout=output, stdin=subprocess.DEVNULL, check=True)
            seconds[count] = time.perf_counter() - started
            shutil.rmtree(folder)
            plans = answer.read_bytes().count(b'"plan_id":')
            if plans != count:
                raise SystemExit(f"planned {plans} of {count} snapshots")
            if count == 1:
                continue
            where = "on one core" if pinned else "not pinned to one core"
            rate, long = count / seconds[count], count >= _LONG_RUN
            yield Row(
                f"plan --snapshot, {count:,} machines",
                f"{seconds[count]:.2f} s {where}, one machine {seconds[1]:.2f} s; with start-up {rate:.0f} a second",
                "≥ 300 a second" if long else "",
                rate >= 300 if long else None,
            )
    few, many = counts
    growth = (seconds[many] - seconds[1]) / (many - 1) / ((seconds[few] - seconds[1]) / (few - 1))
    yield Row(
        f"time for one, {many:,} against {few:,}",
        f"{growth:.2f} ×",
        "≤ 1.10 × (linear)" if few >= _LONG_RUN else "",
        growth <= 1.1 if few >= _LONG_RUN else None,
    )


# Inputs --------------------------------------------------------------------------------------------------------------


def twenty_models() -> Store:
    """Llamas of several generations, models built on them, and models that only look like them."""

    def llama(layers: int, hidden: int, heads: int, kv_heads: int, feed_forward: int, vocabulary: int) -> gguf.Gguf:
        return gguf.llama(
            layers=layers, hidden=hidden, heads=heads, kv_heads=kv_heads, feed_forward=feed_forward,
            vocabulary=vocabulary, context=131072, kind="Q4_K", extra={"general.license": "llama3.1"},
        )  # fmt: skip

    def other(architecture: str, layers: int, hidden: int) -> gguf.Gguf:
        return gguf.llama(
            architecture, layers=layers, hidden=hidden, heads=hidden // 128, kv_heads=8, feed_forward=hidden * 3,
            vocabulary=151936, context=40960, kind="Q4_K", extra={"tokenizer.ggml.pre": "qwen2"},
        )  # fmt: skip

    eight = llama(32, 4096, 32, 8, 14336, 128256)
    three = llama(28, 3072, 24, 8, 8192, 128256)
    seventy = llama(80, 8192, 64, 8, 28672, 128256)
    return Store.of(
        Model("llama3.1:8b", eight, quantization="Q4_K_M"),
        Model("llama3.2:3b", three, quantization="Q4_K_M"),
        Model("llama3.3:70b", seventy, quantization="Q4_K_M"),
        *(Model(f"team-bot:{day}", parent="llama3.1:8b", system=f"It is {day}.") for day in ("mon", "tue", "wed")),
        *(Model(f"helper-{number}:latest", parent="llama3.2:3b", parameters={"num_ctx": 8192}) for number in range(4)),
        *(Model(f"qwen3:{size}", other("qwen3", layers, hidden), quantization="Q4_K_M")
          for size, layers, hidden in (("1.7b", 28, 2048), ("4b", 36, 2560), ("8b", 36, 4096), ("14b", 40, 5120))),
        *(Model(f"gemma3:{size}", other("gemma3", layers, hidden), quantization="Q4_K_M")
          for size, layers, hidden in (("4b", 34, 2560), ("12b", 48, 3840), ("27b", 62, 5376))),
        *(Model(f"granite3.3:{size}", other("granite", layers, hidden), quantization="Q4_K_M")
          for size, layers, hidden in (("2b", 40, 2048), ("8b", 40, 4096))),
        Model("phi4:14b", other("phi3", 40, 5120), quantization="Q4_K_M"),
    )  # fmt: skip


def write_fleet(folder: Path, pattern: dict[str, Any], count: int) -> None:
    """Snapshots of machines that differ in memory, GPUs and in which five of the models they have."""
    folder.mkdir()
    chance = random.Random(count)
    models, machine = pattern["models"], pattern["machine"]
    for number in range(count):
        memory = chance.choice((16, 32, 64, 128)) * 1024 * MIB
        card = chance.choice((0, 8, 12, 16, 24, 48)) * 1024 * MIB
        gpu = {
            "index": 0, "vendor": "nvidia", "name": f"{card >> 30} GiB card", "kind": "discrete",
            "total": card, "free": card - 512 * MIB, "compute_capability": "8.6",
        }  # fmt: skip
        ram = {**machine["ram"], "total": memory, "available": memory - 4096 * MIB, "limit": None, "headroom": None}
        snapshot = {
            **pattern,
            "machine": {**machine, "ram": ram, "gpus": [gpu] if card else []},
            "models": chance.sample(models, 5),
        }
        (folder / f"machine-{number:05}.json").write_text(json.dumps(snapshot), "utf-8")


def find_llmfit(directory: Path) -> tuple[Path | None, str]:
    """llmfit as its wheel has it, in an environment of its own; or None, and why not."""
    if present := os.environ.get("LLMFIT") or shutil.which("llmfit"):
        return Path(present), ""
    scripts = directory / "llmfit" / ("Scripts" if os.name == "nt" else "bin")
    try:
        subprocess.run([sys.executable, "-m", "venv", directory / "llmfit"], check=True, capture_output=True)
        subprocess.run(
            [scripts / "python", "-m", "pip", "install", "--quiet", "--only-binary=:all:", "llmfit"],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
        found = scripts / "llmfit"
        subprocess.run([found, "recommend", "--json"], check=True, capture_output=True, timeout=60)
    except (subprocess.SubprocessError, OSError) as error:
        return None, f"it cannot be had or does not run here ({type(error).__name__})"
    return found, ""


# Measuring -----------------------------------------------------------------------------------------------------------


def llamaexit() -> Path:
    """The command as it was installed beside this Python."""
    return Path(sys.executable).with_name("llamaexit.exe" if os.name == "nt" else "llamaexit")


def surroundings(home: Path, ollama: str) -> dict[str, str]:
    """An environment in which nobody's settings count."""
    kept = {key: value for key, value in os.environ.items() if key in ("PATH", "SYSTEMROOT", "LANG", "LC_ALL")}
    return {**kept, "HOME": str(home), "USERPROFILE": str(home), "OLLAMA_HOST": ollama, "NO_COLOR": "1"}


def run(command: Command, environment: Mapping[str, str]) -> str:
    """What the command prints. Stops the benchmark when it fails."""
    done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", stdin=subprocess.DEVNULL)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def alternate(commands: Sequence[Command], environment: Mapping[str, str], repeats: int) -> tuple[list[float], ...]:
    """Seconds of each run, for each command; they take turns, after one round that only warms the caches."""
    taken: tuple[list[float], ...] = tuple([] for _ in commands)
    for turn, (command, seconds) in itertools.product(range(-1, repeats), zip(commands, taken, strict=True)):
        started = time.perf_counter()
        run(command, environment)
        if turn >= 0:
            seconds.append(time.perf_counter() - started)
    return taken


@contextlib.contextmanager
def one_core() -> Iterator[bool]:
    """Keep this process and those it starts on one core, where the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield False
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield True
    finally:
        os.sched_setaffinity(0, before)


# Telling -------------------------------------------------------------------------------------------------------------


def machine() -> str:
    names = [f"{name} {version(name)}" for name in ("llamaexit", "typer", "rich", "pydantic")]
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in (
                Path("/proc/cpuinfo").read_text("utf-8").splitlines() if Path("/proc/cpuinfo").exists() else ()
            )
            if line.startswith("model name")
        ),
        platform.processor() or "unknown processor",
    )
    system = f"{platform.system()} {platform.machine()}, {cpu}, {os.cpu_count()} cores"
    return f"{time.strftime('%Y-%m-%d')}: {', '.join(names)}; Python {platform.python_version()}; {system}\n"


def times(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds) * 1000:.1f} ms (best {min(seconds) * 1000:.1f})"


def show(rows: Iterator[Row]) -> None:
    for row in rows:
        verdict = {None: "", True: "  kept", False: "  MISSED"}[row.kept]
        target = f"   [{row.target}{verdict}]" if row.target else ""
        print(f"{row.what:<34} {row.figure}{target}", flush=True)


if __name__ == "__main__":
    main()
