"""Which GGUF architectures settle the question, and which do not.

Names are the values of `general.architecture` in llama.cpp (src/llama-arch.cpp) and Ollama (model/models). An
architecture that is not listed says nothing: `llama` itself is shared by Llama, Mistral, Yi, SmolLM, DeepSeek Coder
and many more, `deci` is NVIDIA's pruned Llama as well as DeciLM, and `cogvlm` is built on Vicuna or Llama 3.
"""

from __future__ import annotations

import re

META = {"llama4": "llama4", "mllama": "llama3.2"}
"""Architectures only Meta's own weights come in, with their Llama generation."""

_OTHER = re.compile(
    r"(?:"
    # families that grow: whatever follows the prefix belongs to them
    r"(?:qwen|gemma|phi|granite|deepseek|glm|chatglm|nemotron|exaone|falcon|internlm|starcoder|stablelm|command-r|cohere"
    r"|mistral|pixtral|olmo|ernie|hunyuan|minicpm|smollm|lfm2|bailing|minimax|mimo|kimi|seed_oss|dots|laguna|jais"
    r"|bert|modern-bert|neo-bert|nomic-bert|jina-bert|rwkv|arwkv|t5).*"
    r"|gpt2|gptj|gptneox|gpt-?oss|grok|mpt|baichuan|bloom|codeshell|refact|orion|plamo[23]?|xverse|dbrx|openelm|arctic"
    r"|solar|arcee|afmoe|apertus|jamba|mamba2?|maincoder|plm|chameleon|smallthinker|step35|embeddinggemma"
    r")"
)


def is_other(architecture: str) -> bool:
    """Whether models of this architecture are surely none of Meta's Llama. False also when nobody can tell."""
    return _OTHER.fullmatch(architecture.lower()) is not None
