"""Results of a suite are written to a file and come back as they were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from smoke_results import check, suite

from llamaexit.errors import DocumentError
from llamaexit.smoke.evidence import SCHEMA, dump_result, load_result, load_result_file
from llamaexit.smoke.model import Exchange
from smoke_cases import suite_of
from standin.brains_tools import OLD_AGENT


def test_a_whole_suite_comes_back_as_it_was() -> None:
    result = suite_of(OLD_AGENT, suite="full")
    assert load_result(dump_result(result), "it") == result


def test_a_model_that_did_not_load_comes_back_as_it_was() -> None:
    exchange = Exchange("/api/generate", {"model": "m"}, 500, None, "too large", 0.1)
    load = check("load.residency", "fail", "too large", exchanges=(exchange,))
    result = suite(load, residency=None, failed_to_load="too large", fault="no-fit")
    assert load_result(dump_result(result), "it") == result


def test_the_file_says_what_it_is() -> None:
    assert json.loads(dump_result(suite(check("a"))))["schema"] == SCHEMA == "llamaexit.tests/1"


def test_text_that_is_no_unicode_does_not_stop_it_from_being_written() -> None:
    exchange = Exchange("/api/chat", {}, 200, {"message": {"content": "a\ud800b"}}, None, 0.1)
    result = load_result(dump_result(suite(check("a", exchanges=(exchange,)))), "it")
    answer: Any = result.results[0].exchanges[0].answer
    assert answer["message"]["content"] == "a?b"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "it is not JSON", id="nothing"),
        pytest.param(b"\xff\xfe{", "it is not JSON", id="no text"),
        pytest.param(b"[1]", "it has no results of smoke tests", id="a list"),
        pytest.param(b'{"schema":"llamaexit.plan/2"}', "it has no results of smoke tests", id="a plan"),
        pytest.param(b'{"schema":"llamaexit.tests/2"}', "version 2, this llamaexit reads up to 1", id="a newer one"),
        pytest.param(b'{"schema":"llamaexit.tests/x"}', "version x", id="a version that is no number"),
        pytest.param(b'{"schema":"llamaexit.tests/1"}', "it is damaged: subject", id="one that lacks all"),
    ],
)
def test_what_is_no_result_is_one_clear_line(data: bytes, reason: str) -> None:
    with pytest.raises(DocumentError) as failure:
        load_result(data, "it")
    assert reason in failure.value.message
    assert "\n" not in failure.value.message


def test_a_file_is_named_in_what_goes_wrong(tmp_path: Path) -> None:
    path = tmp_path / "1-old.json"
    with pytest.raises(DocumentError, match="cannot read"):
        load_result_file(path)
    path.write_bytes(b"{")
    with pytest.raises(DocumentError, match=r"1-old\.json is not JSON"):
        load_result_file(path)


def test_a_file_comes_back(tmp_path: Path) -> None:
    result = suite(check("a", "fail"))
    (tmp_path / "1-old.json").write_bytes(dump_result(result))
    assert load_result_file(tmp_path / "1-old.json") == result
