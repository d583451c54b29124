"""A plan carries the smoke tests of the rule that won, so that it can be carried out without its recipes."""

from __future__ import annotations

from pathlib import Path

import jsonschema
from planning_cases import snapshot
from test_golden_decisions import LLAMA31

from llamaexit.jsonable import dump, jsonable
from llamaexit.planning.options import PlanOptions
from llamaexit.planning.plan import Plan
from llamaexit.planning.planfile import load_plan
from llamaexit.planning.planner import make_plan
from llamaexit.recipes.load import load_library
from llamaexit.recipes.model import Call, SmokeCheck
from llamaexit.report.schema import schema_of

RULE = """
[[rules]]
id = "{id}"
use = "chat"
match = ["{match}"]
targets = [{{ model = "qwen3:4b-instruct" }}]

[[rules.smoke]]
id = "{id}-order"
ask = "Where is order 4711?"
tools = [{{ name = "get_order", parameters = {{ type = "object", properties = {{ order-id = {{}} }} }} }}]
expect = {{ tool = {{ name = "get_order", arguments = {{ order-id = "4711" }} }}, not-icontains = "sorry" }}
"""


def planned(tmp_path: Path) -> Plan:
    recipe = tmp_path / "team.toml"
    rules = RULE.format(id="ours", match="llama3.1:8b") + RULE.format(id="other", match="codellama:7b")
    recipe.write_text('schema = 1\nname = "team"\n' + rules)
    return make_plan(
        snapshot("an RTX 4090", LLAMA31), load_library([recipe]), PlanOptions(uses={"llama3.1:8b": ("chat",)})
    )


def checks(plan: Plan) -> tuple[SmokeCheck, ...]:
    (decision,) = plan.decisions
    assert decision.target is not None
    return decision.target.smoke


def test_the_smoke_tests_of_the_rule_that_won_are_in_the_plan_and_no_others(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    assert [check.id for check in checks(plan)] == ["ours-order"]


def test_a_plan_with_smoke_tests_survives_being_written_and_read(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    (tmp_path / "plan.json").write_bytes(dump(plan))
    again = load_plan(tmp_path / "plan.json")
    assert again == plan
    assert checks(again)[0].expect.tool == Call("get_order", {"order-id": "4711"})


def test_the_schema_of_plans_takes_their_smoke_tests(tmp_path: Path) -> None:
    jsonschema.Draft202012Validator(schema_of("plan")).validate(jsonable(planned(tmp_path)))


def test_a_rule_without_smoke_tests_gives_a_plan_without(tmp_path: Path) -> None:
    plan = make_plan(snapshot("an RTX 4090", LLAMA31), load_library(), PlanOptions())
    assert checks(plan) == ()
