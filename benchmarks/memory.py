"""How near the estimator comes to loads that were really measured, beside two usual ways to estimate them.

Run with `python benchmarks/memory.py`. The cases and their sources are in tests/data/memory/cases.toml. One row is one
case known in one way: by its tensor table, by the bytes of its file, or by its quantization label alone.

The other two columns are the published formulas of their kind, written anew here:

- *parser style*: tensor table, a cache of every layer and head as the header lists them, an F32 mask and logits for the
  whole batch (gguf-parser-go). It is given the same weights as our own estimate.
- *advisor style*: parameters times bytes per parameter, a cache of every layer capped at 8192 tokens, half a gigabyte
  on top (llmfit).
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from llamaexit.memory import ModelSpec
from llamaexit.memory.catalogue import layer_tensors, outer_tensors
from llamaexit.memory.kv import layout, round_up
from llamaexit.shape import BLOCKS, Shape
from measured_loads import KNOWN_BASES, MIB, Case, Verdict, cases, spec_for, usable, verdict

WHOLE_CARD = ("smi", "device")
"""Metrics that hold more than the load: the driver's context and other programs."""
_BYTES_PER_PARAMETER = {
    "F16": 2.0,
    "BF16": 2.0,
    "Q8_0": 1.05,
    "Q6_K": 0.8,
    "Q5_K_M": 0.68,
    "Q4_K_M": 0.58,
    "Q4_0": 0.58,
}
_ADVISOR_CONTEXT = 8192
_ADVISOR_CACHE = {"f16": 2.0, "q8_0": 1.0, "q4_0": 0.5}


@dataclass(frozen=True)
class Row:
    """One case beside three estimates of it. Peers are bytes."""

    found: Verdict
    parser: int
    advisor: int

    def error(self, size: int) -> float:
        """Distance of an estimate from the measured range, as a fraction of its middle."""
        case = self.found.case
        outside = case.low - size if size < case.low else max(0, size - case.high)
        return outside / ((case.low + case.high) / 2)


def parser_style(spec: ModelSpec, case: Case) -> int:
    """What a GGUF parser adds up: it knows the tensors, and takes the header's heads at their word."""
    shape, weights = spec.shape, spec.weights
    batch, slots = case.facts.get("batch", 512), case.facts.get("parallel", 1)
    elements, size = BLOCKS[case.facts.get("kv", "f16").upper()]
    cells = slots * round_up(case.context)
    window = slots * min(round_up(case.context), round_up(shape.sliding_window + batch))
    kinds, order = layout(shape)
    heads = shape.kv_heads if isinstance(shape.kv_heads, int) else max(shape.kv_heads)
    width = heads * (shape.key_length + shape.value_length)
    if shape.mla is not None:
        width = (shape.mla.key_length + shape.mla.value_length) * (1 if shape.mla.cached else shape.heads)
    cache = sum((window if kinds[index].windowed else cells) * width * size // elements for index in order)
    if shape.recurrent is not None:
        state = shape.recurrent
        convolution = (state.conv_kernel - 1) * (state.inner_size + 2 * state.groups * state.state_size)
        cache += slots * 4 * (convolution + state.state_size * state.inner_size) * shape.layers
    graph = 4 * batch * (shape.vocab + case.context + 2 * shape.hidden + shape.heads * shape.key_length)
    on_device = weights.total - weights.vision - (0 if weights.tied or _on_cpu(case) else weights.token_embedding)
    return on_device + cache + graph


def advisor_style(spec: ModelSpec, case: Case) -> int:
    """What a fit advisor multiplies out of the parameter count."""
    shape = spec.shape
    label = case.facts["quant"].upper()
    weights = parameters(shape, tied=spec.weights.tied) * _BYTES_PER_PARAMETER.get(label, 0.58)
    heads = shape.kv_heads if isinstance(shape.kv_heads, int) else max(shape.kv_heads)
    context = min(case.context, _ADVISOR_CONTEXT)
    element = _ADVISOR_CACHE.get(case.facts.get("kv", "f16"), 2.0)
    head = shape.hidden // shape.heads
    return int(weights + 2 * shape.layers * heads * head * context * element + 0.5e9)


def parameters(shape: Shape, *, tied: bool) -> int:
    """Elements of all tensors."""
    outside = sum(prod(dimensions) for _, dimensions in outer_tensors(shape, tied=tied))
    return outside + sum(
        prod(dimensions) for layer in range(shape.layers) for _, dimensions in layer_tensors(shape, layer)
    )


def _on_cpu(case: Case) -> bool:
    return case.facts["hardware"].startswith("CPU")


def rows() -> Iterable[Row]:
    for case, basis in usable():
        spec = spec_for(case, basis)
        yield Row(verdict(case, basis), parser_style(spec, case), advisor_style(spec, case))


def main() -> None:
    """Print the table, the cases nothing can be said about, and what each way to estimate is worth."""
    heading = (
        f"{'row':>4} {'model':<26} {'context':>7} {'family':<7} {'metric':<10} {'known by':<9} "
        f"{'measured MiB':>17} {'ours':>8} {'error':>7} {'stated interval':>17}    {'parser':>8} {'error':>7} "
        f"{'advisor':>8} {'error':>7}"
    )
    print(heading)
    print("-" * len(heading))
    table = list(rows())
    for row in table:
        print(_line(row))
    print()
    print("Not reckoned:")
    for case in cases():
        if case.unusable is not None:
            print(f"{case.row:>4} {case.model:<30} {case.unusable}")
        elif case.high == 0:
            print(f"{case.row:>4} {case.model:<30} compared part by part: {case.facts['parts-only']}")
    print()
    _summary(table)


def _line(row: Row) -> str:
    found = row.found
    case, ours = found.case, found.ours
    low, high = case.low / MIB, case.high / MIB
    measured = f"{(low + high) / 2:.1f}" if high - low < 0.1 else f"{low:.0f}..{high:.0f}"
    interval = f"{ours.low / MIB:.0f}..{ours.high / MIB:.0f}"
    return (
        f"{case.row:>4} {case.model[:26]:<26} {case.context:>7} {found.estimate.family:<7} {case.metric:<10} "
        f"{found.basis:<9} {measured:>17} {ours.expected / MIB:>8.0f} {found.error:>7.2%} {interval:>17} "
        f"{'ok' if found.hit else 'NO'} {row.parser / MIB:>8.0f} {row.error(row.parser):>7.1%} "
        f"{row.advisor / MIB:>8.0f} {row.error(row.advisor):>7.1%}"
    )


def _summary(table: list[Row]) -> None:
    print(
        f"{'known by':<20} {'cases':>5} {'in interval':>11}   {'ours':^16} {'parser style':^16} {'advisor style':^16}"
    )
    print(f"{'':<38}   {'median':>7} {'max':>8} {'median':>7} {'max':>8} {'median':>7} {'max':>8}")
    groups = [
        ("tensor table", [row for row in table if row.found.basis == "tensors" and _is_total(row)]),
        (
            "  other people's",
            [row for row in table if row.found.basis == "tensors" and _is_total(row) and _foreign(row)],
        ),
        ("bytes of the file", [row for row in table if row.found.basis == "manifest" and _is_total(row)]),
        ("label alone", [row for row in table if row.found.basis == "label" and _is_total(row)]),
        ("whole cards", [row for row in table if not _is_total(row)]),
    ]
    assert {row.found.basis for row in table} == set(KNOWN_BASES)
    for name, group in groups:
        hits = sum(row.found.hit for row in group)
        errors = [[row.found.error for row in group], [row.error(row.parser) for row in group]]
        errors.append([row.error(row.advisor) for row in group])
        figures = " ".join(f"{statistics.median(each):>7.2%} {max(each):>8.2%}" for each in errors)
        print(f"{name:<20} {len(group):>5} {f'{hits} of {len(group)}':>11}   {figures}")


def _is_total(row: Row) -> bool:
    return row.found.case.metric not in WHOLE_CARD


def _foreign(row: Row) -> bool:
    return row.found.case.metric != "local"


if __name__ == "__main__":
    main()
