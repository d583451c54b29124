"""What llamaexit adds to the bare API of Ollama, as ratios measured in one run on one machine.

    python benchmarks/migrate.py            the real thing, about a minute
    python benchmarks/migrate.py --quick    a small layer and few repeats: does it still run?

The pull is that of a layer of 1 GB from a loopback server whose pace is set, against `curl` on the same API; the two
take turns. The smoke tests are put to scripted models that answer at a set pace; their time is held against the sum of
the times of their requests. Nothing here fails because something is slow; it fails when something does not work.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests")]

from llamaexit.migration.pulling import pull_patiently  # noqa: E402
from llamaexit.ollama.changes import Changes  # noqa: E402
from llamaexit.ollama.inference import Inference  # noqa: E402
from llamaexit.smoke.model import Subject, Suite  # noqa: E402
from llamaexit.smoke.runner import run_suite  # noqa: E402
from standin import Model, Pace, Registry, Standin, Store, gguf  # noqa: E402
from standin.behaviour import Said, Traits, Turn  # noqa: E402
from standin.brains_tools import AGENT  # noqa: E402

GB = 10**9
NAME = "qwen3:8b"


def layer_of(size: int) -> Model:
    """A model whose weights have `size` bytes, nearly all of them holes."""
    # F16: two bytes a weight, and the header beside them
    rows = size // 2 // 1024
    weights = gguf.llama("qwen3", vocabulary=260)
    padded = gguf.Gguf(weights.metadata, (*weights.tensors, ("padding.weight", "F16", (1024, rows))))
    return Model(NAME, weights=padded, template="{{ .Prompt }}")


def pull_seconds(server: Standin, pull: Callable[[str], None]) -> float:
    """How long a pull takes into an empty store."""
    server.store.manifests.clear()
    server.store.blobs.clear()
    server.store.partials.clear()
    begun = time.perf_counter()
    pull(server.url)
    taken = time.perf_counter() - begun
    assert any(name.short == NAME for name in server.store.manifests), "nothing was pulled"
    return taken


def ours(url: str) -> None:
    with Changes(url) as changes:
        pull_patiently(
            NAME, changes=changes, size=None, free=lambda: None, margin=0, report=lambda p: None,
            cancelled=lambda: False,
        )  # fmt: skip


def curl(url: str) -> None:
    body = json.dumps({"model": NAME})
    answer = subprocess.run(
        ["curl", "--silent", "--show-error", "--no-buffer", "--data", body, f"{url}/api/pull"],
        check=True,
        capture_output=True,
    )
    assert b'"success"' in answer.stdout, answer.stdout[-300:]


class Steady:
    """A model that answers well, at a steady pace."""

    traits = Traits(load_seconds=0.5)

    def say(self, turn: Turn) -> Said:
        return replace(AGENT.say(turn), seconds_per_token=0.004)


def suite_ratio(suite: Suite) -> tuple[float, float, int]:
    """Seconds a suite took, the sum of its requests' times, and how many there were."""
    with Standin(Store.of(Model(NAME, weights=gguf.llama("qwen3"), template="{{ .Prompt }}{{ .Tools }}"))) as server:
        server.behaviours[NAME] = Steady()
        subject = Subject(NAME, None, ("chat", "tools"), ("completion", "tools"), 4096, False, "0.33.0")
        with Inference(server.url) as inference:
            timed = Timed(inference)
            begun = time.perf_counter()
            run_suite(subject, timed, suite=suite, seed=1)
            return time.perf_counter() - begun, timed.seconds, timed.count


class Timed:
    """Adds up what the requests take, from sending to the last byte."""

    def __init__(self, inference: Inference) -> None:
        self._inference = inference
        self.seconds = 0.0
        self.count = 0

    def ask(self, path, request, *, seconds):  # type: ignore[no-untyped-def]
        begun = time.perf_counter()
        try:
            return self._inference.ask(path, request, seconds=seconds)
        finally:
            self._add(time.perf_counter() - begun)

    def loaded(self, **options):  # type: ignore[no-untyped-def]
        begun = time.perf_counter()
        try:
            return self._inference.loaded(**options)
        finally:
            self._add(time.perf_counter() - begun)

    def _add(self, seconds: float) -> None:
        self.seconds += seconds
        self.count += 1


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args(arguments).quick
    size, repeats = (GB // 50, 2) if quick else (GB, 7)
    if shutil.which("curl") is None:
        print("pull: not measured, there is no curl")
    else:
        with Standin(
            registry=Registry(layer_of(size)), pace=Pace(bytes_per_second=size / (0.5 if quick else 3))
        ) as server:
            taken: dict[str, list[float]] = {"curl": [], "llamaexit": []}
            for _ in range(repeats):
                taken["curl"].append(pull_seconds(server, curl))
                taken["llamaexit"].append(pull_seconds(server, ours))
        mine, bare = statistics.median(taken["llamaexit"]), statistics.median(taken["curl"])
        print(
            f"pull of {size / GB:g} GB        llamaexit {mine:.3f} s, curl {bare:.3f} s; {mine / bare:.3f} ×"
            + ("" if quick else f"   [≤ 1.03 ×  {'kept' if mine / bare <= 1.03 else 'MISSED'}]")
        )
    suites: tuple[Suite, ...] = ("quick", "full")
    for suite in suites:
        whole, asked, count = suite_ratio(suite)
        target = "" if quick else f"   [≤ 1.1 ×  {'kept' if whole / asked <= 1.1 else 'MISSED'}]"
        told = f"{whole:.2f} s for {count} requests that took {asked:.2f} s; {whole / asked:.3f} ×"
        print(f"smoke tests, {suite:<5}    {told}{target}")


if __name__ == "__main__":
    main(sys.argv[1:])
