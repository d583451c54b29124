from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaexit.ollama.parameters import parse_parameters
from standin import answers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", {}, id="nothing"),
        pytest.param("num_ctx                        8192", {"num_ctx": 8192}, id="whole number"),
        pytest.param("num_ctx                        1.048576e+06", {"num_ctx": 1048576}, id="large number"),
        pytest.param("seed                           1.23456789e+08", {"seed": 123456789}, id="large odd number"),
        pytest.param("seed                           -1", {"seed": -1}, id="negative number"),
        pytest.param("temperature                    0.3", {"temperature": 0.3}, id="fraction"),
        pytest.param("min_p                          1e-05", {"min_p": 1e-05}, id="tiny fraction"),
        pytest.param("use_mmap                       true", {"use_mmap": True}, id="truth value"),
        pytest.param('stop                           "<|eot_id|>"', {"stop": ["<|eot_id|>"]}, id="one stop is a list"),
        pytest.param('stop "a"\ntemperature 1\nstop "b"', {"stop": ["a", "b"], "temperature": 1}, id="lines apart"),
        pytest.param("penalty 1\npenalty 2", {"penalty": [1, 2]}, id="other key that repeats"),
        pytest.param(r'stop "\"\\\n\t\x41\u00e9\U0001F600\101"', {"stop": ['"\\\n\tAé😀A']}, id="Go escapes"),
        pytest.param(r'stop "\U7fffffff"', {"stop": ["�"]}, id="no such character"),
        pytest.param("odd NaN", {"odd": "NaN"}, id="what is no number stays text"),
        pytest.param("odd 1e999", {"odd": float("inf")}, id="number beyond float64"),
        pytest.param("alone", {"alone": ""}, id="key without value"),
    ],
)
def test_text_becomes_typed_values(text: str, expected: dict[str, Any]) -> None:
    found = parse_parameters(text)
    assert found == expected
    assert [type(value) for value in found.values()] == [type(expected[key]) for key in found]


def test_order_of_the_lines_does_not_matter() -> None:
    assert list(parse_parameters("b 1\na 2\nc 3")) == ["a", "b", "c"]


NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
# a line end inside a value is printed as an escape; other separators that only Python takes for line ends are not
TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=20) | st.sampled_from(
    ["\n", '"', "\\"]
)


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,29}", fullmatch=True).filter(lambda key: key != "stop"),
                       NUMBERS | st.booleans() | TEXTS), st.lists(TEXTS, min_size=1, max_size=4))  # fmt: skip
def test_what_go_prints_is_read_back(values: dict[str, Any], stop: list[str]) -> None:
    parameters = {**values, "stop": stop}
    text = "\n".join(f"{key:<30} {answers._shown(value)}" for key, value in answers._lines(parameters))
    assert parse_parameters(text) == parameters
