"""Models of the stand-in as the subjects of smoke tests: one check put to one of them, or a whole suite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llamaexit.ollama.inference import Inference
from llamaexit.smoke.bench import Bench
from llamaexit.smoke.check import Check
from llamaexit.smoke.model import CheckResult, Subject, SuiteResult
from llamaexit.smoke.pace import Pace
from llamaexit.smoke.runner import put, run_suite
from standin import Model, Standin, Store, gguf
from standin.behaviour import Behaviour

SEED = 20261125
NAME = "qwen3:8b"
THINKING_TEMPLATE = "{{ .Prompt }}{{ .Tools }}{{ .Thinking }}"
PLAIN_TEMPLATE = "{{ .Prompt }}{{ .Tools }}"


@contextmanager
def installed(
    behaviour: Behaviour,
    *,
    thinks: bool = False,
    version: str = "0.33.0",
    num_ctx: int = 4096,
    model: dict[str, Any] | None = None,
    **about: Any,
) -> Iterator[tuple[Standin, Subject]]:
    """A stand-in with one model that behaves so, and that model as a subject. thinks: whether it can. num_ctx: the
    context Ollama takes by itself. model: more of what is installed; about: more of the subject."""
    template = THINKING_TEMPLATE if thinks else PLAIN_TEMPLATE
    facts: dict[str, Any] = {"weights": gguf.llama("qwen3", context=40_960), "template": template, **(model or {})}
    store = Store.of(Model(NAME, **facts))
    with Standin(store, version=version, num_ctx=num_ctx, behaviours={NAME: behaviour}) as standin:
        (entry,) = store.manifests.values()
        capabilities = ("completion", "tools", *(("thinking",) if thinks else ()))
        known: dict[str, Any] = {
            "name": NAME, "digest": entry.digest, "uses": ("chat",), "capabilities": capabilities, "context": 4096,
            "thinks": thinks, "ollama_version": version, **about,
        }  # fmt: skip
        yield standin, Subject(**known)


def bench_for(standin: Standin, subject: Subject, *, old: SuiteResult | None = None, seed: int = SEED) -> Bench:
    """A bench with that model, which is not loaded yet."""
    return Bench(subject, Inference(standin.url), Pace(), suite="full", seed=seed, old=old)


def found(check: Check, behaviour: Behaviour, *, old: SuiteResult | None = None, **facts: Any) -> CheckResult:
    """What one check finds about a model that behaves so."""
    with installed(behaviour, **facts) as (standin, subject):
        bench = bench_for(standin, subject, old=old)
        bench.load()
        bench.clear()
        return put(check, bench)


def suite_of(
    behaviour: Behaviour, *, suite: str = "quick", options: dict[str, Any] | None = None, **facts: Any
) -> SuiteResult:
    """What a whole suite finds about a model that behaves so."""
    with installed(behaviour, **facts) as (standin, subject):
        given: dict[str, Any] = {"suite": suite, "seed": SEED, **(options or {})}
        return run_suite(subject, Inference(standin.url), **given)


def outcomes(result: SuiteResult) -> dict[str, str]:
    """The outcome of every check by its id."""
    return {one.id: one.outcome for one in result.results}
