"""One load, reckoned but not yet placed: every part of it in bytes, under one family's accounting."""

from __future__ import annotations

from dataclasses import dataclass

from llamaexit.memory.estimate import Family
from llamaexit.memory.graph import Graph, engine_graph, graph_of, runner_graph
from llamaexit.memory.kv import Cache, cache_of, draft_cache, quantized
from llamaexit.memory.spec import ModelSpec
from llamaexit.units import MIB

# Scratch memory of the vision encoder, printed but not predictable from a header: low, usual, high in MiB.
_VISION_GRAPH = {"gemma3": (90, 105, 130), "qwen2vl": (400, 700, 900)}
_VISION_GRAPH_OTHER = (0, 100, 600)
_ENGINE_VISION_GRAPH = (0, 300, 1100)


@dataclass(frozen=True, slots=True)
class Load:
    """What has to go somewhere. `layers`: weights and caches of each block; `experts`: the part of each that may stay
    in RAM alone. `output`: the output layer on a device (a tied embedding is copied for it). `embedding` always stays
    on the host. `clip`: low, expected and high bytes of the vision encoder's scratch memory.
    """

    family: Family
    layers: tuple[int, ...]
    experts: tuple[int, ...]
    cache: Cache
    graph: Graph
    output: int
    tied: int
    embedding: int
    projector: int
    clip: tuple[int, int, int]
    draft_weights: int
    draft_cache: int
    draft_graph: int
    logits: int
    file_size: int

    @property
    def depth(self) -> int:
        """Layers as Ollama counts them: the blocks and the output."""
        return len(self.layers) + 1 + (1 if self.draft_cache else 0)

    @property
    def draft(self) -> int:
        """Everything the draft head takes."""
        return self.draft_weights + self.draft_cache + self.draft_graph


def load_of(
    spec: ModelSpec, family: Family, context: int, parallel: int, batch: int, kv_type: str, *, flash: bool
) -> Load:
    """The parts of one load of `spec` with `parallel` slots of `context` tokens."""
    shape, weights = spec.shape, spec.weights
    draft = spec.draft if family == "server" else 0
    cache = cache_of(shape, family, context, parallel, batch, kv_type, draft)
    graph = _graph(spec, family, context, parallel, batch, kv_type, cache, flash)
    tied = weights.token_embedding if weights.tied else 0
    vision = weights.vision + spec.projector
    return Load(
        family=family,
        layers=tuple(map(int.__add__, _padded(weights.blocks, shape.layers), cache.layers)),
        experts=_padded(weights.experts, shape.layers) if weights.experts else (),
        cache=cache,
        graph=graph,
        output=weights.output + weights.rest + tied,
        tied=tied,
        embedding=weights.token_embedding + weights.per_layer_embedding,
        projector=vision,
        clip=_clip(spec, family) if vision or spec.vision else (0, 0, 0),
        draft_weights=weights.draft + spec.draft_size if draft else 0,
        draft_cache=draft_cache(shape, context, parallel) if draft else 0,
        draft_graph=graph.device if draft else 0,
        logits=4 * shape.vocab * parallel,
        file_size=spec.file_size,
    )


def printed(size: int) -> int:
    """Bytes as Ollama reads them back from a log line that says MiB with two decimals."""
    return int(round(size / MIB, 2) * MIB)


def _graph(
    spec: ModelSpec,
    family: Family,
    context: int,
    parallel: int,
    batch: int,
    kv_type: str,
    cache: Cache,
    flash: bool,
) -> Graph:
    match family:
        case "server":
            return graph_of(spec.shape, context, batch, flash=flash, quantized=quantized(kv_type))
        case "engine":
            return engine_graph(spec.shape, context * parallel, batch, flash=flash)
        case "runner":
            return runner_graph(spec.shape, context, parallel, cache.total)


def _clip(spec: ModelSpec, family: Family) -> tuple[int, int, int]:
    if family == "runner":
        return 0, 0, 0
    usual = _ENGINE_VISION_GRAPH if family == "engine" else _VISION_GRAPH_OTHER
    if family == "server":
        usual = _VISION_GRAPH.get(spec.shape.architecture, usual)
    low, expected, high = usual
    return low * MIB, expected * MIB, high * MIB


def _padded(blocks: tuple[int, ...], layers: int) -> tuple[int, ...]:
    return blocks if len(blocks) == layers else (blocks + (0,) * layers)[:layers]
