"""The published shapes of the source side are right: they come to the bytes of the published files."""

from __future__ import annotations

import pytest

from llamaexit.memory import estimate, spec_of_origin
from llamaexit.memory.catalogue import Mix, header_bytes, weights_by_label
from llamaexit.memory.spec import published_shape
from llamaexit.recipes.library import Library
from llamaexit.recipes.model import Origin
from memory_machines import GIB, gpu, machine, ollama

# The tensor table knows no feed-forward without a gate, no cross-attention, and no interleaved experts.
OTHER_TABLES = frozenset({"nemotron", "mllama", "llama4"})
# Ollama's own quantizer made this file.
OTHER_BYTES = frozenset({"deepseek-r1:8b"})


def exact(library: Library) -> list[Origin]:
    return [
        origin
        for origin in library.origins
        if origin.exact and origin.shape is not None and origin.shape.layers and origin.name not in OTHER_BYTES
    ]


def test_every_llama_has_a_shape(library: Library) -> None:
    llamas = [origin for origin in library.origins if origin.lineage != "not-meta"]
    assert [
        origin.name
        for origin in llamas
        if origin.shape is None or not all((origin.shape.layers, origin.shape.kv_heads, origin.shape.vocab))
    ] == []


def test_every_llama_is_known_for_how_long_a_context_it_was_trained(library: Library) -> None:
    assert [o.name for o in library.origins if o.lineage != "not-meta" and not o.context] == []


def test_shapes_come_to_the_bytes_of_the_published_files(library: Library) -> None:
    compared = 0
    for origin in exact(library):
        mix = Mix.named(origin.quant)
        shape = published_shape(origin.shape, origin.context, False, False) if origin.shape is not None else None
        if mix is None or shape is None or shape.architecture in OTHER_TABLES:
            continue
        sizes = []
        for tied in (True, False):
            weights = weights_by_label(shape, mix, tied=tied)
            assert weights is not None, origin.name
            sizes.append((weights.total + header_bytes(shape)) / origin.weights_size)
        assert min(abs(size - 1) for size in sizes) < 0.003, (origin.name, sizes)
        compared += 1
    assert compared > 120


@pytest.mark.parametrize(
    ("name", "context", "gibibytes"),
    [
        ("codellama:7b", 4096, 2.0),
        ("codellama:34b", 4096, 0.75),
        ("llama2:7b", 4096, 2.0),
        ("llama2:13b", 4096, 3.125),
        ("llama2:70b", 4096, 1.25),
        ("llama3:8b", 8192, 1.0),
        ("llama3.1:405b", 4096, 1.96875),
        ("wizard-vicuna-uncensored:30b", 2048, 3.046875),
        ("llava:13b", 4096, 3.125),
    ],
)
def test_the_cache_of_a_named_model_is_that_of_its_heads(
    library: Library, name: str, context: int, gibibytes: float
) -> None:
    origin = library.origin(name)
    assert origin is not None
    spec = spec_of_origin(origin)
    assert spec is not None

    found = estimate(spec, machine(gpu(640 * GIB)), ollama(), context=context)

    cache = sum(part.size for part in found.now.parts if part.name == "KV cache")
    assert cache / GIB == pytest.approx(gibibytes, rel=0.001)


@pytest.mark.parametrize(
    ("name", "trained"),
    [("llama3.1:8b", 131072), ("codellama:7b", 16384), ("llama2:7b", 4096), ("llama3:8b", 8192), ("vicuna:33b", 2048)],
)
def test_no_default_is_longer_than_a_named_model_was_trained_for(library: Library, name: str, trained: int) -> None:
    origin = library.origin(name)
    assert origin is not None
    spec = spec_of_origin(origin)
    assert spec is not None

    found = estimate(spec, machine(gpu(24 * GIB, index=0), gpu(24 * GIB, index=1)), ollama())

    assert found.context == trained
    assert "trained" in found.context_source
