"""Dataclasses as JSON."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import examples
import pytest
from pydantic import TypeAdapter

from llamaexit.jsonable import dump, jsonable
from llamaexit.planning.plan import Plan
from llamaexit.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Leaf:
    name: str


@dataclass(frozen=True, slots=True)
class Tree:
    leaves: tuple[Leaf, ...] = ()
    sizes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Nothing:
    pass


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        pytest.param(
            Tree((Leaf("a"), Leaf("b")), {"x": 1}),
            {"leaves": [{"name": "a"}, {"name": "b"}], "sizes": {"x": 1}},
            id="dataclasses inside dataclasses",
        ),
        pytest.param(Nothing(), {}, id="no fields"),
        pytest.param((1, (2, [3])), [1, [2, [3]]], id="tuples"),
        pytest.param({"b", "a"}, ["a", "b"], id="sets in order"),
        pytest.param([float("inf"), float("nan"), 0.5], [None, None, 0.5], id="numbers JSON cannot write"),
        pytest.param({1: dt.date(2026, 6, 20)}, {"1": "2026-06-20"}, id="dates, and keys that are no text"),
        pytest.param(Path("a/b"), str(Path("a/b")), id="paths"),
        pytest.param([True, None, 2**70], [True, None, 2**70], id="truth, nothing and large numbers"),
    ],
)  # fmt: skip
def test_value_becomes_plain(value, plain) -> None:
    assert jsonable(value) == plain


@pytest.mark.parametrize(("document", "kind"), [(examples.DESKTOP, Plan), (examples.HERE, Snapshot)])
def test_documents_survive_the_way_to_json_and_back(document, kind) -> None:
    assert TypeAdapter(kind).validate_json(dump(document), by_alias=False, by_name=True) == document


@pytest.mark.parametrize(("document", "kind"), [(examples.DESKTOP, Plan), (examples.HERE, Snapshot)])
def test_documents_are_written_as_pydantic_writes_them(document, kind) -> None:
    assert json.loads(dump(document)) == json.loads(TypeAdapter(kind).dump_json(document))


def test_keys_keep_the_order_of_the_fields() -> None:
    assert list(jsonable(examples.DESKTOP)) == list(asdict(examples.DESKTOP))


def test_text_that_is_no_unicode_is_still_json() -> None:
    assert json.loads(dump({"path": "caf\udce9"})) == {"path": "caf?"}
