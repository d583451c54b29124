"""Whatever strangers write into their files, an assessment ends, with a reason, and never raises."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llamaexit.lineage import assess, assess_all, question, with_answer
from llamaexit.lineage.finding import RULES
from llamaexit.lineage.words import read
from llamaexit.recipes.library import Library
from llamaexit.recipes.load import load_library
from llamaexit.shape import Shape
from llamaexit.snapshot import InstalledModel

KEYS = (
    "general.architecture", "general.license", "general.license.name", "general.basename", "general.name",
    "general.finetune", "general.size_label", "general.base_model.count", "general.base_model.0.name",
    "general.base_model.0.organization", "general.base_model.0.repo_url", "general.base_model.1.name",
    "tokenizer.ggml.pre", "tokenizer.ggml.model", "llama.vocab_size", "llama.rope.freq_base",
)  # fmt: skip
WORDS = (
    "llama", "LLaMA v2", "Llama-3.1", "meta-llama", "Meta Llama", "qwen3", "mistral", "TinyLlama", "llama3.2", "clip",
    "8b", "https://huggingface.co/meta-llama/Llama-3", "llama-bpe", "default", "deepseek-r1", "gguf", "", "0B", "70B",
)  # fmt: skip
NAMES = (
    "llama3.1:8b",
    "deepseek-r1:8b",
    "llava:7b",
    "team-bot:latest",
    "hf.co/x/Llama-3-GGUF:Q4",
    "a:cloud",
    "",
    "::",
    "x/y/z/q:1",
)
DIGESTS = ("46e0c10c039e" + "0" * 52, "6340dc3229b0" + "0" * 52, "f" * 64, "", "xyz")

texts = st.one_of(
    st.sampled_from(WORDS), st.text(max_size=40), st.lists(st.sampled_from(WORDS), max_size=3).map("-".join)
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts, st.binary(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=2)),
    max_leaves=4,
)
sizes = st.sampled_from((0, 1, 8, 32, 40, 52, 2048, 4096, 5120, 8192, 11008, 14336, 28672, 32000, 128256, 202048))
shapes = st.builds(
    Shape,
    architecture=st.sampled_from(("llama", "LLAMA", "qwen3", "")),
    layers=sizes,
    hidden=sizes,
    heads=sizes,
    kv_heads=st.one_of(sizes, st.lists(sizes, max_size=3).map(tuple)),
    key_length=sizes,
    value_length=sizes,
    feed_forward=sizes,
    vocab=sizes,
    context_length=sizes,
    vision=st.booleans(),
    source=st.sampled_from(("gguf", "show", "catalogue")),
)
maybe_digest = st.one_of(st.none(), st.sampled_from(DIGESTS))
models = st.builds(
    InstalledModel,
    name=st.one_of(st.sampled_from(NAMES), texts),
    digest=maybe_digest,
    weights_digest=maybe_digest,
    source=st.sampled_from(("server", "store", "named")),
    family=texts,
    families=st.lists(texts, max_size=2).map(tuple),
    parameter_size=texts,
    parameter_count=st.one_of(st.none(), st.integers()),
    capabilities=st.one_of(st.none(), st.just(("vision",))),
    parent=st.one_of(st.none(), st.sampled_from(NAMES), texts),
    remote=st.one_of(st.none(), texts),
    parameters=st.dictionaries(st.just("stop"), values, max_size=1),
    adapter=st.booleans(),
    template_tokens=st.lists(texts, max_size=2).map(tuple),
    licences=st.lists(texts, max_size=2).map(tuple),
    metadata=st.dictionaries(st.sampled_from(KEYS), values, max_size=6),
    shape=st.one_of(st.none(), shapes),
    problem=st.one_of(st.none(), texts),
)
quick = settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def records() -> Library:
    return load_library()


@quick
@given(model=models)
def test_any_model_is_assessed_with_a_reason_that_fits_on_one_line(records: Library, model: InstalledModel) -> None:
    lineage = assess(model, records, {})

    assert lineage.evidence
    assert {evidence.rule for evidence in lineage.evidence} <= set(RULES)
    assert all(evidence.text.isprintable() for evidence in lineage.evidence)
    assert (question(lineage) is not None) == (lineage.verdict == "unknown")


@quick
@given(model=models)
def test_the_first_evidence_speaks_for_the_verdict(records: Library, model: InstalledModel) -> None:
    lineage = assess(model, records, {})

    assert lineage.evidence[0].verdict == lineage.verdict


@quick
@given(several=st.lists(models, max_size=6))
def test_models_with_equal_weights_have_equal_verdicts(records: Library, several: list[InstalledModel]) -> None:
    by_weights: dict[str, set[str]] = {}
    for model in assess_all(several, records):
        assert model.lineage is not None
        if model.weights_digest:
            by_weights.setdefault(model.weights_digest, set()).add(model.lineage.verdict)

    assert all(len(verdicts) == 1 for verdicts in by_weights.values())


@quick
@given(several=st.lists(models, max_size=4))
def test_assessing_is_repeatable(records: Library, several: list[InstalledModel]) -> None:
    assert repr(assess_all(several, records)) == repr(assess_all(several, records))


@quick
@given(model=models, answer=st.sampled_from(("meta", "not-meta")))
def test_an_answer_always_wins(records: Library, model: InstalledModel, answer: str) -> None:
    lineage = with_answer(assess(model, records, {}), answer)  # type: ignore[arg-type]

    assert lineage.verdict == answer
    assert lineage.evidence[0].rule == "stated"


@quick
@given(model=models)
def test_a_digest_of_the_recipes_settles_any_model(records: Library, model: InstalledModel) -> None:
    known = replace(model, digest="46e0c10c039e" + "0" * 52, weights_digest=None)

    assert assess(known, records, {}).verdict == "meta"


@given(text=st.text())
def test_any_text_can_be_read_as_a_name(text: str) -> None:
    reading = read(text)

    assert reading is None or reading.words in text.lower().replace(" ", "-") or reading.words
