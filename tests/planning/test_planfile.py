"""Plan files say what they are, and are believed only as long as they say what they said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planning_cases import MACHINES, snapshot
from test_golden_decisions import LLAMA31, TEAM_BOT, builtin

from llamaexit.errors import DocumentError
from llamaexit.jsonable import dump
from llamaexit.planning.options import PlanOptions
from llamaexit.planning.plan import Plan
from llamaexit.planning.planfile import load_plan, plan_id_of
from llamaexit.planning.planner import make_plan


def a_plan() -> Plan:
    return make_plan(snapshot("an RTX 4090", LLAMA31, TEAM_BOT), builtin(), PlanOptions())


def saved(path: Path, plan: Plan) -> Path:
    path.write_bytes(dump(plan, indent=2))
    return path


def test_a_plan_that_was_saved_and_loaded_is_the_same_plan(tmp_path: Path) -> None:
    plan = a_plan()
    assert load_plan(saved(tmp_path / "plan.json", plan)) == plan


def test_a_plan_inside_a_json_answer_is_found(tmp_path: Path) -> None:
    plan = a_plan()
    path = tmp_path / "answer.json"
    path.write_bytes(dump({"llamaexit": "0", "command": "plan", "data": plan, "errors": []}))
    assert load_plan(path) == plan


@settings(max_examples=40, deadline=None)
@given(
    where=st.sampled_from(sorted(MACHINES)),
    models=st.lists(
        st.sampled_from(["llama3.1:8b", "llama3.2:1b", "codellama:7b", "dolphin3:8b", "gpt-5", "qwen3:8b", "x:y"]),
        unique=True,
    ),
    context=st.none() | st.integers(1, 1 << 20),
)
def test_any_plan_survives_being_written_and_read(
    tmp_path_factory: pytest.TempPathFactory, where: str, models: list[str], context: int | None
) -> None:
    options = PlanOptions(models=tuple(models) or ("llama3.3:70b",), context=context)
    plan = make_plan(snapshot(where), builtin(), options)
    again = load_plan(saved(tmp_path_factory.mktemp("plan") / "plan.json", plan))
    assert again == plan
    assert plan_id_of(again) == plan.plan_id


def test_a_plan_that_was_changed_by_hand_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "plan.json", a_plan())
    path.write_text(path.read_text().replace("qwen3:4b-instruct", "qwen3:4b-instruc7"))
    with pytest.raises(DocumentError, match="changed after it was made"):
        load_plan(path)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param("", "not JSON", id="an empty file"),
        pytest.param("[" * 100_000, "not JSON", id="a nesting bomb"),
        pytest.param("[]", "not a llamaexit plan", id="a list"),
        pytest.param('{"schema": "llamaexit.snapshot/1"}', "not a llamaexit plan", id="a snapshot"),
        pytest.param('{"schema": "llamaexit.plan/2"}', "version 2", id="a newer plan"),
        pytest.param('{"schema": "llamaexit.plan/x"}', "version x", id="a version that is no number"),
        pytest.param('{"schema": "llamaexit.plan/1"}', "damaged plan", id="a plan with nothing in it"),
    ],
)
def test_what_is_no_plan_is_refused_in_one_line(tmp_path: Path, content: str, complaint: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(content)
    with pytest.raises(DocumentError, match=complaint) as caught:
        load_plan(path)
    assert "\n" not in caught.value.message


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="cannot read"):
        load_plan(tmp_path / "nowhere.json")


def test_the_id_is_part_of_what_it_names(tmp_path: Path) -> None:
    body = json.loads(dump(a_plan()))
    assert len(body["plan_id"]) == 64
    assert set(body["plan_id"]) <= set("0123456789abcdef")
