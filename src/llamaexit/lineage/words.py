"""What the words in a model's name say about its weights.

The same reading serves `general.basename`, base models, file names and published names. It knows that TinyLlama and
OpenLLaMA hold none of Meta's weights, that `DeepSeek-R1-Distill-Llama` does, and that `phind` is no Phi.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from llamaexit.snapshot import Verdict


class Reading(NamedTuple):
    """What a name says, and the words that say it. `generation` is None when the words leave it open."""

    verdict: Verdict
    words: str
    generation: str | None = None


_SEPARATORS = re.compile(r"[\s_/]+")
_BYSTANDERS = re.compile(r"(?:-(?:gguf|hf|instruct|chat|it|fp16|bf16|i1))+$")
_FROM_SCRATCH = re.compile(r"tiny-?llama|tiny-?dolphin|open-?llama")
_DISTILL = re.compile(r"distill(?:ed)?-llama")
_CODE = re.compile(r"code-?llama")
_GUARD = re.compile(r"(?<![a-z])llama-?guard(?:-?([1-4])(?![0-9b]))?")
_LATE_70B = re.compile(r"llama-3\.1-70b-instruct-2024-12")
_GENERATION = re.compile(r"(?<![a-z])llama-?v?([1-4])(?:\.([1-3])|-([1-3])(?=-))?(?!\.?[0-9]|b)")
_FIRST = re.compile(r"(?<![a-z])llama-?(?:7|13|30|33|65)b(?![a-z])")
_VICUNA = re.compile(r"vicuna")
_PLAIN = re.compile(r"(?<![a-z])llama(?:-?[0-9]+(?:\.[0-9]+)?b)?$")
_70B = re.compile(r"(?<![0-9])70b")
_1B = re.compile(r"(?<![0-9])1b")
_OTHER = re.compile(
    r"(?<![a-z])(?:"
    r"(?:open)?(?:mistral|mixtral|ministral)|codestral|mathstral|devstral|magistral|pixtral|bakllava|zephyr|starling-lm"
    r"|(?:code)?qwen|qwq|yi(?![a-z])|solar-(?:10\.7b|pro)|smollm|smolvlm|falcon|granite|internlm|olmo|exaone"
    r"|(?:code|med|shield|func?tion|embedding)?gemma|phi(?![a-z])|starcoder|stablelm|stable-code|command-r|gpt-oss"
    r"|deepseek-(?:coder|llm|moe|vl|math|ocr|prover|v[2-9])|chatglm|glm-?[4-9]|minicpm|baichuan|kimi|ernie|hunyuan"
    r"|opencoder|nemotron-mini|marin-(?:8|32)b|nomic-embed|bge(?![a-z])|mxbai|snowflake-arctic"
    r")"
)
_GUARD_GENERATION = {None: "llama2", "1": "llama2", "2": "llama3", "3": "llama3.1", "4": "llama4"}


@lru_cache(maxsize=1024)
def read(text: str) -> Reading | None:
    """What a name says about lineage; None when it says nothing, or two things at once (`Yi-34B-Llama`)."""
    name = _SEPARATORS.sub("-", text.strip().lower())
    if found := _FROM_SCRATCH.search(name):
        return Reading("unknown", found[0])
    if found := _DISTILL.search(name):
        return Reading("meta", found[0], "llama3.3" if _70B.search(name) else "llama3.1")
    if found := _CODE.search(name):
        return Reading("meta", found[0], "codellama")
    if found := _GUARD.search(name):
        small = found[1] == "3" and _1B.search(name)
        return Reading("meta", found[0], "llama3.2" if small else _GUARD_GENERATION[found[1]])
    if found := _LATE_70B.search(name):
        # Meta published Llama 3.3 70B under this general.name
        return Reading("meta", found[0], "llama3.3")
    if found := _GENERATION.search(name):
        minor = (found[2] or found[3]) if found[1] == "3" else None
        return Reading("meta", found[0], f"llama{found[1]}.{minor}" if minor else f"llama{found[1]}")
    if found := _FIRST.search(name):
        return Reading("meta", found[0], "llama1")
    if found := _VICUNA.search(name):
        return Reading("meta", found[0], "llama2" if "v1.5" in name or "16k" in name else None)
    other = _OTHER.search(name)
    plain = _PLAIN.search(_BYSTANDERS.sub("", name))
    if other and plain:
        return None
    if other:
        return Reading("not-meta", other[0])
    return Reading("meta", plain[0]) if plain else None
