"""Facts that are read out of texts a model carries: its template, its licences, its GGUF keys.

The server and the store on disk hand out the same texts in different wrappings; both go through here, so that both
give the same facts. Control characters never get through: these texts come from strangers and end on a terminal.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator, Mapping
from typing import Any

MAX_TEXT = 1000
"""Characters of a metadata string that is kept; longer ones (descriptions, templates) are left out."""
MAX_HEADING = 120
"""Characters of a licence heading."""

_TOKENS = (
    # Llama 3, then Llama 4
    "<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|eom_id|>",
    "<|python_tag|>", "<|header_start|>", "<|header_end|>", "<|eot|>", "<|eom|>", "<|python_start|>", "<|python_end|>",
    "<|image|>",
    # Llama 2 and Code Llama; `[INST]` is also Mistral's
    "<<SYS>>", "<</SYS>>", "[INST]", "[/INST]", "<PRE>", "<SUF>", "<MID>",
    "[SYSTEM_PROMPT]", "[AVAILABLE_TOOLS]", "[TOOL_CALLS]", "[TOOL_RESULTS]", "[SUFFIX]", "[PREFIX]", "[THINK]",
    # ChatML and Qwen
    "<|im_start|>", "<|im_end|>", "<|im_sep|>", "<|endoftext|>", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>",
    "<|vision_start|>", "<|vision_end|>", "<tool_call>", "<tool_response>", "<think>", "</think>",
    # DeepSeek
    "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>", "<｜tool▁calls▁begin｜>",
    "<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>", "<|EOT|>",
    # Gemma, Phi, gpt-oss, Command R, Granite, GLM
    "<start_of_turn>", "<end_of_turn>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>", "<|end_of_turn|>",
    "<|start|>", "<|message|>", "<|channel|>", "<|return|>", "<|call|>", "<|START_OF_TURN_TOKEN|>",
    "<|END_OF_TURN_TOKEN|>", "<|start_of_role|>", "<|end_of_role|>", "[gMASK]", "<|observation|>",
    # no special tokens, but as telling: Alpaca, Vicuna
    "### Instruction:", "### Response:", "### HUMAN:", "### RESPONSE:", "USER:", "ASSISTANT:", "</s>",
)  # fmt: skip
_KEPT_TOKENIZER_KEYS = frozenset(f"tokenizer.ggml.{key}" for key in ("model", "pre", "bos_token_id", "eos_token_id"))
_MARKUP = re.compile(r"[#*_`]+")
_FURTHER_HEADING = re.compile(
    r"(?i)(?:meta )?(?:code )?llama(?: [0-9.]+)? (?:community license agreement|acceptable use policy)"
    r"|(?:the )?mit license(?: \(mit\))?|apache license"
    r"|[a-z0-9 .-]{1,60} (?:license agreement|acceptable use policy)"
)


def template_tokens(text: str) -> tuple[str, ...]:
    """The known special tokens of chat formats that `text` holds, sorted. `text` is a Go or a Jinja template."""
    return tuple(sorted(token for token in _TOKENS if token in text))


def licence_heading(text: str) -> str:
    """What a licence calls itself: its first line with text, and its version where the next one tells it.

    Empty when there is no text. `LLAMA 3.1 COMMUNITY LICENSE AGREEMENT`, `Apache License Version 2.0, January 2004`.
    """
    return next(_headings(text), "")


def licence_headings(text: str) -> tuple[str, ...]:
    """The headings of all licences in `text`, which is what `/api/show` makes of several layers: one text, joined.

    The first one always counts; further ones are recognised by their wording. Each is named once.
    """
    return tuple(dict.fromkeys(_headings(text)))


def _headings(text: str) -> Iterator[str]:
    lines = [line for line in map(_plain, text.splitlines()) if line]
    for index, line in enumerate(lines):
        if index and not _FURTHER_HEADING.fullmatch(line):
            continue
        follow = lines[index + 1] if index + 1 < len(lines) else ""
        heading = f"{line} {follow}" if follow.lower().startswith("version ") else line
        yield heading if len(heading) <= MAX_HEADING else heading[: MAX_HEADING - 1] + "…"


def _plain(line: str) -> str:
    return " ".join(printable(_MARKUP.sub("", line)).split())


def printable(text: str) -> str:
    """`text` with every control character (escape sequences, line ends) replaced by a blank."""
    return text if text.isprintable() else "".join(char if char.isprintable() else " " for char in text)


def scalar_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The GGUF keys a snapshot keeps, sorted: scalars of `general.*`, of the architecture, the tokenizer's name.

    Arrays, chat templates, long strings and what JSON cannot say (NaN) are left out. Numbers are brought into one form,
    because the header says 32-bit `1e-05` and `500000.0` where `/api/show` says `1e-05` and `500000`.
    `general.parameter_count` is left out: it is no key of the file, `/api/show` puts it in.
    """
    architecture = metadata.get("general.architecture")
    prefixes = ("general.", f"{architecture}.") if isinstance(architecture, str) and architecture else ("general.",)
    kept: dict[str, Any] = {}
    for key in sorted(metadata):
        if key == "general.parameter_count" or not (key.startswith(prefixes) or key in _KEPT_TOKENIZER_KEYS):
            continue
        value = metadata[key]
        if isinstance(value, str):
            if len(value) <= MAX_TEXT:
                kept[key] = printable(value)
        elif isinstance(value, bool | int):
            kept[key] = value
        elif isinstance(value, float) and math.isfinite(value):
            kept[key] = _number(value)
    return kept


def _number(value: float) -> int | float:
    if value.is_integer() and abs(value) < 2**53:
        return int(value)
    if _single(value) != value:
        return value
    # the shortest decimal that still means the same 32-bit number, which is what Go prints
    candidates = (float(f"{value:.{digits}g}") for digits in range(1, 10))
    return next((shorter for shorter in candidates if _single(shorter) == value), value)


def _single(value: float) -> float | None:
    try:
        rounded: float = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return None
    return rounded
