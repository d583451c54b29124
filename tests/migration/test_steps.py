"""From a plan to steps: what is done, in which order, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from migration_cases import bot, llama, plan_of

from llamaexit.errors import UsageError
from llamaexit.migration.options import MigrationOptions
from llamaexit.migration.steps import preview


def ids(plan: Any, **options: Any) -> list[str]:
    return [step.id for step in preview(plan, MigrationOptions(**options)).steps]


def test_library_model_is_pulled_and_tested_and_nothing_is_switched() -> None:
    plan = plan_of(llama())
    target = plan.decisions[0].target
    assert target is not None
    assert ids(plan) == [f"pull {target.model}", "test llama3.1:8b"]


def test_custom_model_is_backed_up_first_and_switched_last() -> None:
    plan = plan_of(bot())
    target = plan.decisions[0].target
    assert target is not None
    assert ids(plan) == [
        "backup team-bot:latest",
        f"pull {target.model}",
        "build team-bot:latest",
        "test team-bot:latest",
        "switch team-bot:latest",
        "tidy",
    ]


def test_everything_is_staged_before_anything_is_switched() -> None:
    plan = plan_of(llama(), bot(), bot("other-bot:latest"))
    phases = [step.phase for step in preview(plan, MigrationOptions(take_over=True)).steps]
    assert "switch" in phases and phases[phases.index("switch") :] == ["switch"] * phases.count("switch")


def test_target_of_several_models_is_pulled_once() -> None:
    plan = plan_of(bot(), bot("other-bot:latest"))
    assert len([step for step in ids(plan) if step.startswith("pull ")]) == 1


def test_staging_alone_leaves_every_name_as_it_is() -> None:
    assert not [step for step in ids(plan_of(bot()), stage=True) if step.startswith(("switch", "tidy"))]


def test_no_tests_where_none_are_asked_for() -> None:
    assert not [step for step in ids(plan_of(bot()), suite="none") if step.startswith("test")]


def test_take_over_lets_the_library_name_mean_the_new_model_after_a_backup() -> None:
    steps = ids(plan_of(llama()), take_over=True)
    assert steps[0] == "backup llama3.1:8b"
    assert steps[-1] == "switch llama3.1:8b"


def test_alias_is_for_the_model_that_serves_the_use() -> None:
    shown = preview(plan_of(llama(), uses={"llama3.1:8b": ("chat",)}), MigrationOptions(aliases={"team-chat": "chat"}))
    assert shown.steps[-1].name == "team-chat:latest"
    assert shown.steps[-1].decision == "llama3.1:8b"


def test_what_only_and_skip_leave_out_is_named_with_the_reason() -> None:
    shown = preview(plan_of(llama(), bot()), MigrationOptions(only=("team-bot",)))
    assert [job.source for job in shown.jobs] == ["team-bot:latest"]
    assert shown.left_out == (("llama3.1:8b", "not among --only"),)
    shown = preview(plan_of(llama(), bot()), MigrationOptions(skip=("team-bot",)))
    assert shown.left_out == (("team-bot:latest", "left out with --skip"),)


def test_blocked_model_is_left_out_with_the_reason_of_the_plan() -> None:
    plan = plan_of(bot(adapter=True), llama())
    (left,) = preview(plan, MigrationOptions()).left_out
    assert left[0] == "team-bot:latest" and "adapter" in left[1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param({"aliases": {"bad name": "chat"}}, "not a model name", id="an alias that is no name"),
        pytest.param({"aliases": {"x" * 81: "chat"}}, "longer than 80 characters", id="an alias that is too long"),
        pytest.param({"aliases": {"team:cloud": "chat"}}, "cloud", id="an alias that Ollama sends to its cloud"),
        pytest.param({"aliases": {"llamaexit-keep/x": "chat"}}, "backups", id="an alias among the backups"),
        pytest.param({"aliases": {"team": "vision"}}, "nothing here serves 'vision'", id="a use nothing serves"),
        pytest.param(
            {"aliases": {"TEAM-BOT": "llama3.1:8b"}},
            "switched twice",
            id="an alias that is a rebuilt model, in capitals",
        ),
        pytest.param({"only": ("qwen",)}, "the plan has no such model", id="--only that matches nothing"),
        pytest.param({"skip": ("qwen",)}, "the plan has no such model", id="--skip that matches nothing"),
        pytest.param({"accept": ("qwen",)}, "the plan has no such model", id="--accept that matches nothing"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(options: dict[str, Any], said: str) -> None:
    plan = plan_of(llama(), bot(), uses={"llama3.1:8b": ("chat",), "team-bot:latest": ("chat",)})
    with pytest.raises(UsageError, match=said):
        preview(plan, MigrationOptions(**options))


def test_alias_for_a_use_of_models_with_different_targets_has_to_name_one() -> None:
    plan = plan_of(llama(), llama("llama3.2:1b", parameter_size="1.2B", size=1_300_000_000), uses={
        "llama3.1:8b": ("chat",), "llama3.2:1b": ("chat",)
    })  # fmt: skip
    assert len({d.target.model for d in plan.decisions if d.target}) == 2
    with pytest.raises(UsageError, match="several models serve chat"):
        preview(plan, MigrationOptions(aliases={"team": "chat"}))
    assert preview(plan, MigrationOptions(aliases={"team": "llama3.2:1b"})).steps[-1].decision == "llama3.2:1b"
