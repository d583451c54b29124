"""Facts read out of templates, licences and GGUF keys."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest

from llamaexit.ollama.texts import (
    MAX_HEADING,
    MAX_TEXT,
    licence_heading,
    licence_headings,
    printable,
    scalar_metadata,
    template_tokens,
)

TEMPLATES = {
    "Llama 3": (
        "<|start_header_id|>user<|end_header_id|>{{ .Prompt }}<|eot_id|>",
        ("<|end_header_id|>", "<|eot_id|>", "<|start_header_id|>"),
    ),
    "Llama 4": ("<|header_start|>user<|header_end|>hi<|eot|>", ("<|eot|>", "<|header_end|>", "<|header_start|>")),
    "Llama 2": ("[INST] <<SYS>>{{ .System }}<</SYS>> [/INST]", ("<</SYS>>", "<<SYS>>", "[/INST]", "[INST]")),
    "Mistral, which is no Llama 2": ("[INST] {{ .Prompt }} [/INST]", ("[/INST]", "[INST]")),
    "ChatML": ("<|im_start|>user\nhi<|im_end|>", ("<|im_end|>", "<|im_start|>")),
    "DeepSeek": ("<｜User｜>hi<｜Assistant｜>", ("<｜Assistant｜>", "<｜User｜>")),
    "no chat format": ("{{ .Prompt }}", ()),
    "nothing": ("", ()),
}


@pytest.mark.parametrize("case", TEMPLATES, ids=[case.replace(" ", "-") for case in TEMPLATES])
def test_finds_the_tokens_of(case: str) -> None:
    text, tokens = TEMPLATES[case]
    assert template_tokens(text) == tokens


LICENCES = {
    "Llama 3.1": (
        "LLAMA 3.1 COMMUNITY LICENSE AGREEMENT\nLlama 3.1 Version Release Date: July 23, 2024\n",
        "LLAMA 3.1 COMMUNITY LICENSE AGREEMENT",
    ),
    "Llama 2, with blanks": (
        "\n\n LLAMA 2 COMMUNITY LICENSE AGREEMENT\t\nLlama 2 Version",
        "LLAMA 2 COMMUNITY LICENSE AGREEMENT",
    ),
    "Markdown": ("# **Llama 3.2** **Acceptable Use Policy**\n", "Llama 3.2 Acceptable Use Policy"),
    "Apache, two lines": (
        "\n      Apache License\n     Version 2.0, January 2004\n",
        "Apache License Version 2.0, January 2004",
    ),
    "MIT": ("MIT License\n\nCopyright (c) 2023 DeepSeek\n", "MIT License"),
    "escape sequences": ("\x1b[31mEVIL\x1b[0m LICENSE\n", "[31mEVIL [0m LICENSE"),
    "nothing": (" \n\t\n", ""),
}


@pytest.mark.parametrize("case", LICENCES, ids=[case.replace(" ", "-") for case in LICENCES])
def test_finds_the_heading_of(case: str) -> None:
    text, heading = LICENCES[case]
    assert licence_heading(text) == heading


def test_a_heading_is_never_longer_than_a_line() -> None:
    heading = licence_heading("x" * 5000)
    assert len(heading) == MAX_HEADING
    assert heading.endswith("…")


def test_finds_all_licences_in_the_one_text_that_the_server_makes_of_them() -> None:
    terms = "LLAMA 3.2 COMMUNITY LICENSE AGREEMENT\nBy clicking, you agree to this LICENSE AGREEMENT.\n"
    policy = "**Llama 3.2** **Acceptable Use Policy**\n\nMeta is committed\n"
    assert licence_headings(f"{terms}\n{policy}\n{terms}") == (
        "LLAMA 3.2 COMMUNITY LICENSE AGREEMENT",
        "Llama 3.2 Acceptable Use Policy",
    )


def test_no_text_is_no_licence() -> None:
    assert licence_headings("") == ()


def single(value: float) -> float:
    """What a 32-bit float in a file becomes in Python."""
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


def test_keeps_scalars_of_general_the_architecture_and_the_tokenizers_name() -> None:
    kept = {
        "general.architecture": "llama",
        "general.license": "llama3.1",
        "llama.context_length": 131072,
        "llama.use": True,
        "tokenizer.ggml.eos_token_id": 128009,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "llama-bpe",
    }
    dropped = {
        "general.parameter_count": 8_030_261_248,
        "general.description": "x" * (MAX_TEXT + 1),
        "general.tags": ("a",),
        "llama.attention.head_count_kv": None,
        "llama.nan": float("nan"),
        "qwen2.context_length": 5,
        "tokenizer.chat_template": "{{ x }}",
        "tokenizer.ggml.tokens": None,
    }
    assert scalar_metadata({**kept, **dropped}) == kept


# the texts are those of Go, which writes the shortest one that means the same 32-bit number
@pytest.mark.parametrize(
    ("value", "served"),
    [
        (1e-5, "1e-05"),
        (1e-6, "0.000001"),
        (500000.0, "500000"),
        (0.1, "0.1"),
        (1.5, "1.5"),
        (-0.0, "-0"),
        (2.0**60, "1152921500000000000"),
        (3.4028234663852886e38, "3.4028235e+38"),
    ],
)
def test_the_header_and_the_server_give_equal_numbers(value: float, served: str) -> None:
    assert scalar_metadata({"general.x": single(value)}) == scalar_metadata({"general.x": json.loads(served)})


def test_a_number_that_32_bits_cannot_hold_is_left_alone() -> None:
    assert scalar_metadata({"general.x": 1e300, "general.y": 1 / 3}) == {"general.x": 1e300, "general.y": 1 / 3}


def test_metadata_without_architecture_keeps_what_is_general() -> None:
    assert scalar_metadata({"general.type": "model", "llama.block_count": 3, ".x": 1}) == {"general.type": "model"}


@pytest.mark.parametrize("text", ["a\x1bb", "a\nb", "a\x9bb", "a\u202eb"])
def test_control_characters_become_blanks(text: str) -> None:
    assert printable(text) == "a b"


def test_other_scripts_are_left_alone() -> None:
    text: Any = "通义千问 <｜User｜>"
    assert printable(text) == text
