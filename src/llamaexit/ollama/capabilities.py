"""What a model can do, worked out from its files as the server works it out.

Follows `Model.Capabilities` and `shouldPreferChatTemplate` of Ollama 0.33 (server/images.go) and `InferTags`
(thinking/template.go), so that a model read from disk gets the capabilities that `/api/show` would list. Older servers
know fewer: below 0.30 the chat template inside the GGUF file does not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

ORDER = ("completion", "tools", "insert", "vision", "embedding", "thinking", "image", "audio")
"""Capabilities in the order of Ollama's types/model/capability.go; others follow by name."""

# model/parsers/parsers.go: what the built-in parsers can tell apart in an answer
_TOOL_PARSERS = frozenset(
    {
        "qwen3", "qwen3-thinking", "qwen3.5", "ornith", "qwen3-coder", "qwen3-vl-instruct", "qwen3-vl-thinking",
        "ministral", "harmony", "cogito", "deepseek3", "olmo3", "nemotron-3-nano", "nemotron-3.5-nano", "functiongemma",
        "glm-4.7", "gemma4", "gemma4-no-thinking", "glm-ocr", "lfm2", "lfm2-thinking", "laguna", "poolside-v1",
        "cohere", "glimmer",
    }
)  # fmt: skip
_THINKING_PARSERS = frozenset(
    {
        "qwen3-thinking", "qwen3.5", "ornith", "qwen3-vl-thinking", "harmony", "cogito", "deepseek3", "olmo3-think",
        "nemotron-3-nano", "nemotron-3.5-nano", "glm-4.7", "gemma4", "lfm2-thinking", "laguna", "poolside-v1", "cohere",
        "glimmer",
    }
)  # fmt: skip
_GPT_OSS = ("gptoss", "gpt-oss")
_TOOL_ANSWERS = (
    "tool_response", "tool_results", "role'] == 'tool'", "role'] == \"tool\"", "role\"] == 'tool'",
    'role"] == "tool"', "message.role == 'tool'", 'message.role == "tool"', "ipython",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parts:
    """What capabilities depend on. `metadata` is None for a model without a readable GGUF file.

    config: the config blob. template: the Go template layer, None without one. projectors: the metadata of each
    projector file, empty where it cannot be read.
    """

    config: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] | None = None
    template: str | None = None
    projectors: tuple[Mapping[str, Any], ...] = ()

    def text(self, key: str) -> str:
        """A text of the config, empty when it is absent or of another type."""
        value = self.config.get(key)
        return value if isinstance(value, str) else ""

    @property
    def safetensors(self) -> bool:
        return self.text("model_format") == "safetensors"

    @property
    def chat_template(self) -> str:
        """The Jinja template inside the GGUF file."""
        value = (self.metadata or {}).get("tokenizer.chat_template")
        return value if isinstance(value, str) else ""


def selected_template(parts: Parts) -> str:
    """The template Ollama renders chats with, which is the one `/api/show` prints."""
    return parts.chat_template if _uses_chat_template(parts) else parts.template or ""


def capabilities(parts: Parts) -> tuple[str, ...]:
    """The capabilities of a model, in the order of ORDER."""
    found = {entry for entry in _list(parts.config.get("capabilities")) if isinstance(entry, str)}
    metadata = parts.metadata
    architecture = ""
    if metadata is not None:
        architecture = str(metadata.get("general.architecture", ""))
        if _uses_chat_template(parts):
            found |= _of_chat_template(parts.chat_template)
        found.add("embedding" if f"{architecture}.pooling_type" in metadata else "completion")
        found |= {kind for kind in ("vision", "audio") if f"{architecture}.{kind}.block_count" in metadata}
    if parts.projectors:
        found.add("vision")
        if any(_hears(projector) for projector in parts.projectors):
            found.add("audio")
    if parts.template is not None and not _prefers_chat_template(parts):
        found |= _of_go_template(parts.template)
    parser = parts.text("parser")
    found |= {"tools"} if parser in _TOOL_PARSERS else set()
    found |= {"thinking"} if parser in _THINKING_PARSERS or parts.text("model_family") in _GPT_OSS else set()
    found -= _withheld(parts, architecture)
    return tuple(sorted(found, key=lambda entry: (ORDER.index(entry) if entry in ORDER else len(ORDER), entry)))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _uses_chat_template(parts: Parts) -> bool:
    rendered = parts.text("renderer") or parts.text("parser") or _harmony(parts)
    return bool(parts.chat_template) and not rendered and (parts.template is None or _prefers_chat_template(parts))


def _harmony(parts: Parts) -> bool:
    template = parts.template or ""
    return parts.text("model_family") in _GPT_OSS and "<|start|>" in template and "<|end|>" in template


def _prefers_chat_template(parts: Parts) -> bool:
    """Whether the GGUF's template wins over the Go template that is there, too."""
    jinja, template = parts.chat_template, parts.template
    if not jinja or template is None or parts.text("renderer") or parts.text("parser") or _harmony(parts):
        return False
    by_jinja, by_go = _of_chat_template(jinja), _of_go_template(template)
    if len(by_jinja) > len(by_go):
        return not _go_returns_tools(template) or _jinja_returns_tools(jinja)
    return by_jinja == by_go and "tools" in by_go and _jinja_returns_tools(jinja) and not _go_returns_tools(template)


def _of_chat_template(jinja: str) -> set[str]:
    found = set()
    if "tools" in jinja or "tool_call" in jinja:
        found.add("tools")
    if ("<think>" in jinja and "</think>" in jinja) or (
        ("content.split('</think>')" in jinja or 'content.split("</think>")' in jinja)
        and "reasoning_content" not in jinja
        and "<SPECIAL_12>" not in jinja
    ):
        found.add("thinking")
    return found


def _jinja_returns_tools(jinja: str) -> bool:
    calls = "tool_calls" in jinja or "assistant_tool_call" in jinja
    return calls and any(mark in jinja for mark in _TOOL_ANSWERS)


def _go_returns_tools(template: str) -> bool:
    names = _names(template)
    marks = ('eq .Role "tool"', "tool_response", "TOOL_RESULTS")
    return {"tools", "toolcalls"} <= names and any(mark in template for mark in marks)


def _of_go_template(template: str) -> set[str]:
    names = _names(template)
    found = {capability for name, capability in (("tools", "tools"), ("suffix", "insert")) if name in names}
    return found | ({"thinking"} if all(thinking_tags(template)) else set())


def _hears(projector: Mapping[str, Any]) -> bool:
    if projector.get("clip.vision.projector_type") == "gemma3nv":
        return False
    return any(key.endswith("has_audio_encoder") and value is True for key, value in projector.items())


def _withheld(parts: Parts, architecture: str) -> set[str]:
    """What Ollama does not offer although the files have it (`filterUnsupportedCapabilities`)."""
    renderer, families = (
        parts.text("renderer"),
        [parts.text("model_family"), *_list(parts.config.get("model_families"))],
    )
    omni = "nemotron_h_omni" in families
    nemotron = omni or "nemotron-3-nano" in (renderer, parts.text("parser"))
    if parts.safetensors and (renderer.startswith("gemma4") or nemotron):
        return {"audio", "vision"}
    if omni or architecture == "nemotron_h_omni" or (parts.safetensors and renderer == "glimmer"):
        return {"audio"}
    return set()


# -- Go templates: as much of text/template as the questions above need --------------------------------------------

_ACTION = re.compile(r"\{\{(-?)\s*(.*?)\s*(-?)\}\}", re.DOTALL)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`')
_NAME = re.compile(r"\.([A-Za-z_]\w*)")
_FIELD = re.compile(r"(?<![\w$)\].])\.([A-Za-z_]\w*)")
_BLOCKS = frozenset({"if", "range", "with", "block", "define"})


def _actions(template: str) -> Iterable[tuple[str, str]]:
    """Text and the action after it, in turn, trim marks applied; the last action is empty."""
    at, trim = 0, False
    for match in _ACTION.finditer(template):
        text = template[at : match.start()]
        text = text.lstrip() if trim else text
        yield text.rstrip() if match[1] else text, _QUOTED.sub('""', match[2])
        at, trim = match.end(), bool(match[3])
    yield template[at:].lstrip() if trim else template[at:], ""


def _names(template: str) -> set[str]:
    """Every field a template refers to, in lower case (`Template.Vars`)."""
    return {
        name.lower()
        for _, action in _actions(template)
        if not action.startswith("/*")
        for name in _NAME.findall(action)
    }


@dataclass(slots=True)
class _List:
    """A stretch of template between two block marks: what it starts and ends with, None where that is no text."""

    ranges_messages: bool = False
    nodes: int = 0
    first: str | None = None
    last: str | None = None

    def add(self, text: str | None) -> None:
        if text == "":
            return
        self.first = text if self.nodes == 0 else self.first
        self.last = text
        self.nodes += 1


def thinking_tags(template: str) -> tuple[str, str]:
    """The texts around `{{ .Thinking }}` inside the loop over `.Messages`: Ollama takes them for thinking tags."""
    stack = [_List()]
    seen: list[_List] = []
    for text, action in _actions(template):
        stack[-1].add(text)
        if not action or action.startswith("/*"):
            continue
        word = action.split(None, 1)[0]
        fields = _FIELD.findall(action)
        if "Thinking" in fields and stack[-1].ranges_messages and word not in ("range", "else"):
            seen.append(stack[-1])
        if word == "end":
            if len(stack) > 1:
                stack.pop()
        elif word == "else":
            stack[-1] = _List(stack[-1].ranges_messages)
        else:
            stack[-1].add(None)
            if word in _BLOCKS:
                inherited = stack[-1].ranges_messages
                stack.append(_List("Messages" in fields if word == "range" else inherited))
    opening = closing = ""
    for found in seen:
        opening = opening if found.first is None else found.first.strip()
        closing = closing if found.last is None else found.last.strip()
    return opening, closing
