"""Which program runs a model, and with that which accounting applies: by Ollama's version and the architecture."""

from __future__ import annotations

from llamaexit.memory.estimate import Family
from llamaexit.ollama.version import Release, parse_version

SERVER_SINCE: Release = (0, 30, 0, 0)
"""From here on every GGUF model runs in llama.cpp's llama-server."""
# Ollama's own engine took architectures over one by one (fs/ggml/ggml.go OllamaEngineRequired at each tag).
_ENGINE_SINCE: dict[str, Release] = {
    "gemma3": (0, 6, 0, 0),
    **dict.fromkeys(("mistral3", "llama4", "mllama", "qwen25vl"), (0, 7, 0, 0)),
    "gemma3n": (0, 9, 3, 0),
    **dict.fromkeys(("gptoss", "gpt-oss"), (0, 11, 0, 0)),
    "qwen3": (0, 12, 0, 0),
    "qwen3moe": (0, 12, 6, 0),
    **dict.fromkeys(
        ("bert", "nomic-bert", "deepseek2", "deepseekocr", "olmo3", "qwen3vl", "qwen3vlmoe"), (0, 13, 5, 0)
    ),
    **dict.fromkeys(("qwen3next", "glm4moelite", "glmocr", "lfm2"), (0, 15, 5, 0)),
    **dict.fromkeys(("qwen35", "qwen35moe"), (0, 17, 1, 0)),
    **dict.fromkeys(("gemma4", "laguna", "lfm2moe", "nemotron_h", "nemotron_h_moe", "nemotron_h_omni"), (0, 24, 0, 0)),
}
# Flash attention on by default up to 0.24; everything else waits for OLLAMA_FLASH_ATTENTION there.
_FLASH_BY_DEFAULT = frozenset({
    "bert", "gemma3", "gemma4", "glm4moelite", "glmocr", "gptoss", "gpt-oss", "lfm2", "lfm2moe", "mistral3",
    "nemotron_h", "nemotron_h_moe", "nemotron_h_omni", "olmo3", "qwen3", "qwen3moe", "qwen35", "qwen35moe",
    "qwen3next", "qwen3vl", "qwen3vlmoe",
})  # fmt: skip


def release_of(version: str | None) -> Release | None:
    """The release a version string names, None when it names none."""
    return parse_version(version)


def family_of(release: Release | None, architecture: str, tokenizer: str = "") -> Family:
    """The family that loads `architecture` (spelled as in the file). An unknown release counts as the newest.

    The engine refuses DeepSeek V2's tokenizer (`deepseek-llm`), so those files stay with the runner.
    """
    if release is None or release >= SERVER_SINCE:
        return "server"
    since = _ENGINE_SINCE.get(architecture)
    if since is None or release < since or (architecture == "deepseek2" and tokenizer == "deepseek-llm"):
        return "runner"
    return "engine"


def flash_by_default(architecture: str) -> bool:
    """Whether Ollama up to 0.24 switches flash attention on by itself."""
    return architecture in _FLASH_BY_DEFAULT
