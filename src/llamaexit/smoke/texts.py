"""What an answer must not have in it, whatever was asked: leaked reasoning, tokens of a template, repetition."""

from __future__ import annotations

import re
from collections import Counter

THINK_TAG = re.compile(r"</?\s*think(ing)?\s*>|◁/?think▷|<\|/?(begin_of_)?thought", re.I)
"""Marks around reasoning. A lone closing one is as bad: the opening one may have been in the prompt."""
SPECIAL_TOKEN = re.compile(
    r"<\|[^|\s<>]{1,40}\|?>?|<｜[^｜]{1,40}｜>|\[/?INST\]|<</?SYS>>|</?tool_call>|<(start|end)_of_turn>|</?s>"
)
"""Tokens of chat templates of Llama, Qwen, DeepSeek, Mistral and Gemma, which no client should ever see."""
_EAST_ASIAN = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_RUN = re.compile(r"(\S)\1{12,}")
_LEAST_PRINTABLE = 0.9


def leaked(text: str) -> str:
    """What of a template or of reasoning is in a text, in words; nothing when it is clean."""
    if found := THINK_TAG.search(text):
        return f"reasoning leaks into the answer ({found[0]})"
    return template_token(text)


def template_token(text: str) -> str:
    """What of a template is in a text, in words; nothing when it is clean."""
    found = SPECIAL_TOKEN.search(text)
    return f"a token of the chat template is in the answer ({found[0]})" if found else ""


def garbled(text: str) -> str:
    """Why a text is no text, in words; nothing when it is one."""
    if not text.strip():
        return "an empty answer"
    printable = sum(char.isprintable() or char in "\n\t\r" for char in text) - text.count("\ufffd")
    if printable < _LEAST_PRINTABLE * len(text):
        return "an answer of unreadable characters"
    if found := _RUN.search(text):
        return f"an answer that repeats {found[1]!r}"
    return ""


def east_asian(text: str) -> float:
    """The part of the letters of a text that is Chinese, Japanese or Korean, 0 to 1."""
    letters = sum(char.isalpha() for char in text)
    return len(_EAST_ASIAN.findall(text)) / letters if letters else 0.0


def repeats(text: str) -> str:
    """Why a text seems to go round in circles, in words; nothing when it does not."""
    words = text.split()
    fours = [tuple(words[at : at + 4]) for at in range(len(words) - 3)]
    if len(fours) >= 8 and len(set(fours)) < 0.5 * len(fours):
        return "it says the same over and over"
    lines = Counter(line.strip() for line in text.splitlines() if len(line.strip()) > 3)
    line, times = lines.most_common(1)[0] if lines else ("", 0)
    return f"it says {times} times: {line[:40]}" if times > 3 else ""


def cut_off(finish: str) -> str:
    """Why an answer did not come to its end, in words; nothing when it stopped by itself."""
    match finish:
        case "stop" | "tool_calls":
            return ""
        case "length":
            return "it did not stop by itself"
    return "the answer broke off"
