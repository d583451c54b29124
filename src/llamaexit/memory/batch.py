"""The batch Ollama asks llama-server for: by context, lowered where its own rough prediction leaves little room.

ollama server/sched.go automaticGenerationBatch and llm/llama_server.go PredictServerVRAM, 0.30 and later.
"""

from __future__ import annotations

from llamaexit.memory.devices import Device
from llamaexit.shape import Shape
from llamaexit.units import GIB, MIB

DEFAULT = 512
_CONSTRAINED = 256
_MEDIUM = 1024
_LARGE = 2048
_SURCHARGE = {_MEDIUM: 768 * MIB, _LARGE: 2 * GIB}
_HEADROOM = {_MEDIUM: 75, _LARGE: 60}
_SMALL_CARD = 8 * GIB


def predicted_size(shape: Shape, file_size: int, tokens: int) -> int:
    """Ollama's own prediction before a load: the file, and an f16 cache reckoned with the smallest head count."""
    heads = shape.kv_heads if isinstance(shape.kv_heads, int) else min(shape.kv_heads, default=0)
    if shape.recurrent is not None and shape.source == "catalogue":
        heads = 0  # library files of hybrids list heads layer by layer, with zeros
    head_size = shape.hidden // shape.heads if shape.heads else 0
    layers = shape.layers + shape.draft_layers
    return file_size + 2 * layers * max(heads, 1) * head_size * tokens * 2


def generation_batch(tokens: int, predicted: int, available: int) -> int:
    """Tokens per batch for `tokens` of context over all slots, with `available` bytes free on the chosen GPUs.

    0 bytes available is what Ollama sees without a GPU; the batch then goes by the context alone.
    """
    batch = _by_context(tokens)
    while batch > DEFAULT and not _fits(batch, predicted, available):
        batch = _MEDIUM if batch > _MEDIUM else DEFAULT
    return batch


def batch_range(tokens: int, predicted: int, devices: tuple[Device, ...], *, flash: bool) -> tuple[int, int, int]:
    """The batch expected, and the smallest and largest it may be. They differ where free memory is not known."""
    if not flash and any(device.library == "CUDA" for device in devices):
        small = tokens > 4096 and any(min(device.free, device.total) <= _SMALL_CARD for device in devices)
        batch = _CONSTRAINED if small else DEFAULT
        return batch, batch, batch
    expected = generation_batch(tokens, predicted, sum(device.free for device in devices))
    if all(device.known for device in devices):
        return expected, expected, expected
    return expected, DEFAULT, generation_batch(tokens, predicted, sum(device.total for device in devices))


def embedding_batch(context: int) -> int:
    """Batch of models that only embed."""
    return min(_LARGE, context)


def _by_context(tokens: int) -> int:
    if tokens > 32768:
        return _LARGE
    return _MEDIUM if tokens > 4096 else DEFAULT


def _fits(batch: int, predicted: int, available: int) -> bool:
    if predicted == 0 or available == 0:
        return True
    limit = available * 80 // 100
    within = predicted <= limit and predicted <= available * _HEADROOM[batch] // 100
    return within and _SURCHARGE[batch] <= limit - predicted
