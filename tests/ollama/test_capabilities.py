"""What a model can do, as the server derives it (server/images.go of Ollama 0.33)."""

from __future__ import annotations

from typing import Any

import pytest

from llamaexit.ollama.capabilities import Parts, capabilities, selected_template, thinking_tags

LLAMA: dict[str, Any] = {"general.architecture": "llama", "llama.block_count": 32}
QWEN_JINJA = (
    "{% if tools %}# Tools{% endif %}{% for m in messages %}{% if m.tool_calls %}<tool_call>{% endif %}"
    "{% if m.role == 'tool' %}<tool_response>{% endif %}<think>{{ m.reasoning }}</think>{% endfor %}"
)
GO_PLAIN = "{{ .System }} {{ .Prompt }}"
GO_TOOLS = (
    "{{ if .Tools }}tools{{ end }}{{ range .Messages }}"
    '{{ if .ToolCalls }}c{{ end }}{{ if eq .Role "tool" }}t{{ end }}{{ end }}'
)
GO_TOOLS_NO_ANSWERS = "{{ range $tool := $.Tools }}{{ $tool }}{{ end }}"
GO_THINKING = (
    '{{ range $i, $_ := .Messages }}{{ if eq .Role "assistant" }}'
    "{{ if .Thinking }}<think>{{ .Thinking }}</think>{{ end }}{{ .Content }}{{ end }}{{ end }}"
)
GPT_OSS = "<|start|>system<|message|>{{ .System }}<|end|>"


def with_jinja(text: str) -> dict[str, Any]:
    return {**LLAMA, "tokenizer.chat_template": text}


CASES: dict[str, tuple[Parts, tuple[str, ...]]] = {
    "a GGUF without template completes": (Parts(metadata=LLAMA), ("completion",)),
    "pooling makes an embedding model": (
        Parts(metadata={"general.architecture": "bert", "bert.pooling_type": 1}),
        ("embedding",),
    ),
    "pooling of another architecture does not": (
        Parts(metadata={**LLAMA, "bert.pooling_type": 1}),
        ("completion",),
    ),
    "vision layers inside the file": (
        Parts(metadata={**LLAMA, "llama.vision.block_count": 24}),
        ("completion", "vision"),
    ),
    "audio layers inside the file": (
        Parts(metadata={**LLAMA, "llama.audio.block_count": 24}),
        ("completion", "audio"),
    ),
    "a projector sees": (Parts(metadata=LLAMA, projectors=({},)), ("completion", "vision")),
    "a projector with an audio encoder hears": (
        Parts(metadata=LLAMA, projectors=({"clip.has_audio_encoder": True},)),
        ("completion", "vision", "audio"),
    ),
    "a projector that says it has none does not": (
        Parts(metadata=LLAMA, projectors=({"clip.has_audio_encoder": False},)),
        ("completion", "vision"),
    ),
    "the one of Gemma 3n does not": (
        Parts(
            metadata=LLAMA,
            projectors=({"clip.has_audio_encoder": True, "clip.vision.projector_type": "gemma3nv"},),
        ),
        ("completion", "vision"),
    ),
    "a plain Go template adds nothing": (Parts(metadata=LLAMA, template=GO_PLAIN), ("completion",)),
    "a Go template with tools": (Parts(metadata=LLAMA, template=GO_TOOLS), ("completion", "tools")),
    "tools named through the root": (Parts(metadata=LLAMA, template=GO_TOOLS_NO_ANSWERS), ("completion", "tools")),
    "a Go template with a suffix": (
        Parts(metadata=LLAMA, template="<PRE> {{- .Prompt }} <SUF>{{- .Suffix }} <MID>"),
        ("completion", "insert"),
    ),
    "tools only in a comment": (Parts(metadata=LLAMA, template="{{/* .Tools */}}{{ .Prompt }}"), ("completion",)),
    "tools only in a text": (Parts(metadata=LLAMA, template='.Tools {{ "a .Tools" }}{{ .Prompt }}'), ("completion",)),
    "a Go template with thinking": (Parts(metadata=LLAMA, template=GO_THINKING), ("completion", "thinking")),
    "the chat template of the file": (
        Parts(metadata=with_jinja(QWEN_JINJA)),
        ("completion", "tools", "thinking"),
    ),
    "a chat template that cuts reasoning off": (
        Parts(metadata=with_jinja("{{ content.split('</think>')[-1] }}")),
        ("completion", "thinking"),
    ),
    "a chat template that takes reasoning apart itself": (
        Parts(metadata=with_jinja("{{ reasoning_content }}{{ content.split('</think>')[-1] }}")),
        ("completion",),
    ),
    "a chat template that offers more wins over the Go template": (
        Parts(metadata=with_jinja(QWEN_JINJA), template="<PRE> {{ .Prompt }}{{ .Suffix }}"),
        ("completion", "tools", "thinking"),
    ),
    "a Go template that offers as much wins": (
        Parts(metadata=with_jinja("{{ tools }}"), template=GO_TOOLS),
        ("completion", "tools"),
    ),
    "a chat template without tool answers loses to a Go template with them": (
        Parts(metadata=with_jinja("{{ tools }}<think></think>"), template=GO_TOOLS),
        ("completion", "tools"),
    ),
    "a parser in the config decides": (
        Parts(config={"parser": "qwen3-thinking", "renderer": "qwen3"}, metadata=LLAMA),
        ("completion", "tools", "thinking"),
    ),
    "a parser keeps the chat template out": (
        Parts(config={"parser": "passthrough"}, metadata=with_jinja(QWEN_JINJA)),
        ("completion",),
    ),
    "a parser without thinking": (Parts(config={"parser": "qwen3-coder"}, metadata=LLAMA), ("completion", "tools")),
    "an unknown parser adds nothing": (Parts(config={"parser": "from-the-future"}, metadata=LLAMA), ("completion",)),
    "gpt-oss thinks": (
        Parts(config={"model_family": "gptoss"}, metadata=with_jinja("{{ tools }}"), template=GPT_OSS),
        ("completion", "thinking"),
    ),
    "capabilities of the config are added": (
        Parts(config={"capabilities": ["completion", "image", "telepathy"]}),
        ("completion", "image", "telepathy"),
    ),
    "capabilities of wrong types are not": (Parts(config={"capabilities": [1, None, {}]}), ()),
    "Nemotron Omni does not hear": (
        Parts(config={"model_family": "nemotron_h_omni", "capabilities": ["audio", "completion"]}),
        ("completion",),
    ),
    "Gemma 4 as safetensors neither hears nor sees": (
        Parts(
            config={
                "model_format": "safetensors",
                "renderer": "gemma4-small",
                "capabilities": ["completion", "vision", "audio"],
            }
        ),
        ("completion",),
    ),
    "nothing known, nothing offered": (Parts(), ()),
}


@pytest.mark.parametrize("case", CASES, ids=[case.replace(" ", "-") for case in CASES])
def test_capabilities(case: str) -> None:
    parts, expected = CASES[case]
    assert capabilities(parts) == expected


@pytest.mark.parametrize(
    ("template", "tags"),
    [
        (GO_THINKING, ("<think>", "</think>")),
        ("{{ range .Messages }}{{- if .Thinking }} <a> {{- .Thinking -}} </a> {{- end }}{{ end }}", ("<a>", "</a>")),
        ("{{ range .Messages }}{{ .Content }}{{ end }}<think>{{ .Thinking }}</think>", ("", "")),
        ("{{ range .Tools }}<think>{{ .Thinking }}</think>{{ end }}", ("", "")),
        ("{{ range .Messages }}{{ if .Thinking }}{{ .Thinking }}{{ end }}{{ end }}", ("", "")),
        ("{{ range .Messages }}{{ if .X }}a{{ else }}<t>{{ .Thinking }}</t>{{ end }}{{ end }}", ("<t>", "</t>")),
        ("{{ end }}{{ end }}{{ else }}{{ range .Messages", ("", "")),
    ],
    ids=["usual", "trimmed", "outside-the-loop", "another-loop", "no-text-around", "in-an-else", "broken"],
)
def test_thinking_tags(template: str, tags: tuple[str, str]) -> None:
    assert thinking_tags(template) == tags


def test_shows_the_template_that_is_used() -> None:
    metadata = with_jinja(QWEN_JINJA)
    assert selected_template(Parts(metadata=metadata)) == QWEN_JINJA
    assert selected_template(Parts(metadata=metadata, template=GO_PLAIN)) == QWEN_JINJA
    assert selected_template(Parts(metadata=with_jinja("{{ m }}"), template=GO_PLAIN)) == GO_PLAIN
    assert selected_template(Parts(config={"parser": "qwen3"}, metadata=metadata)) == ""
