from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from llamaexit.ollama.settings import Traces, go_bool, read_settings


def process(
    proc: Path, pid: int, environ: dict[str, str] | None, *, comm: str = "ollama", arguments: str = "serve"
) -> None:
    """A running program as /proc shows it; an `environ` of None is one that may not be read."""
    folder = proc / str(pid)
    folder.mkdir(parents=True)
    (folder / "comm").write_text(f"{comm}\n")
    (folder / "cmdline").write_bytes(b"\0".join([b"/usr/local/bin/ollama", *arguments.encode().split()]) + b"\0")
    if environ is not None:
        (folder / "environ").write_bytes(b"\0".join(f"{name}={value}".encode() for name, value in environ.items()))


def unit(folder: Path, text: str, drop_in: str | None = None) -> None:
    path = folder / "ollama.service" if drop_in is None else folder / "ollama.service.d" / drop_in
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def values(traces: Traces, environ: dict[str, str] | None = None, port: int = 11434) -> dict[str, tuple[str, str]]:
    found = read_settings(environ or {}, port=port, traces=traces)
    return {name: (setting.value, setting.source) for name, setting in found.items()}


def test_environment_of_the_caller_counts_when_there_is_nothing_better() -> None:
    environ = {"OLLAMA_KV_CACHE_TYPE": ' "q8_0" ', "CUDA_VISIBLE_DEVICES": "1", "LLAMA_ARG_FIT": "off", "PATH": "/bin"}
    assert values(Traces(), environ) == {
        "CUDA_VISIBLE_DEVICES": ("1", "environment"),
        "LLAMA_ARG_FIT": ("off", "environment"),
        "OLLAMA_KV_CACHE_TYPE": ("q8_0", "environment"),
    }


def test_empty_variable_counts_as_unset() -> None:
    assert values(Traces(), {"OLLAMA_CONTEXT_LENGTH": ' "" '}) == {}


@pytest.mark.parametrize("name", ["OLLAMA_API_KEY", "LLAMA_ARG_HF_TOKEN", "OLLAMA_AUTH", "OLLAMA_PROXY_PASSWORD"])
def test_secrets_are_never_among_the_settings(name: str, tmp_path: Path) -> None:
    process(tmp_path / "proc", 1, {name: "sesame"})
    assert values(Traces(proc=tmp_path / "proc"), {name: "sesame"}) == {}
    assert values(Traces(), {name: "sesame"}) == {}


def test_keep_alive_is_no_secret() -> None:
    assert "OLLAMA_KEEP_ALIVE" in values(Traces(), {"OLLAMA_KEEP_ALIVE": "5m"})


class TestServerProcess:
    def test_alone_counts_when_it_can_be_read(self, tmp_path: Path) -> None:
        process(tmp_path / "proc", 42, {"OLLAMA_CONTEXT_LENGTH": "8192", "HOME": "/root"})
        unit(tmp_path / "etc", "[Service]\nEnvironment=OLLAMA_NUM_PARALLEL=4\n")
        traces = Traces(proc=tmp_path / "proc", unit_folders=(tmp_path / "etc",))
        found = values(traces, {"OLLAMA_FLASH_ATTENTION": "1"})
        assert found == {"OLLAMA_CONTEXT_LENGTH": ("8192", "server process")}

    def test_on_another_port_does_not_count(self, tmp_path: Path) -> None:
        process(tmp_path / "proc", 42, {"OLLAMA_HOST": "127.0.0.1:4321", "OLLAMA_CONTEXT_LENGTH": "8192"})
        traces = Traces(proc=tmp_path / "proc")
        assert values(traces, {"OLLAMA_NUM_PARALLEL": "2"}) == {"OLLAMA_NUM_PARALLEL": ("2", "environment")}
        assert values(traces, port=4321)["OLLAMA_CONTEXT_LENGTH"] == ("8192", "server process")

    def test_with_garbage_for_an_address_does_not_count(self, tmp_path: Path) -> None:
        process(tmp_path / "proc", 42, {"OLLAMA_HOST": "a b", "OLLAMA_CONTEXT_LENGTH": "8192"})
        assert values(Traces(proc=tmp_path / "proc")) == {}

    @pytest.mark.parametrize(
        ("comm", "arguments"),
        [("ollama", "runner --port 5000"), ("ollama", "list"), ("bash", "serve"), ("llama-server", "serve")],
    )
    def test_is_told_from_other_programs(self, comm: str, arguments: str, tmp_path: Path) -> None:
        process(tmp_path / "proc", 42, {"OLLAMA_CONTEXT_LENGTH": "8192"}, comm=comm, arguments=arguments)
        assert values(Traces(proc=tmp_path / "proc")) == {}

    def test_of_another_user_leaves_the_unit_and_rules_out_the_environment(self, tmp_path: Path) -> None:
        process(tmp_path / "proc", 42, None)
        unit(tmp_path / "etc", "[Service]\nEnvironment=OLLAMA_NUM_PARALLEL=4\n")
        traces = Traces(proc=tmp_path / "proc", unit_folders=(tmp_path / "etc",))
        assert values(traces, {"OLLAMA_FLASH_ATTENTION": "1"}) == {"OLLAMA_NUM_PARALLEL": ("4", "systemd unit")}

    def test_that_ends_while_it_is_looked_at_is_no_error(self, tmp_path: Path) -> None:
        (tmp_path / "proc" / "42").mkdir(parents=True)
        (tmp_path / "proc" / "self").mkdir()
        assert values(Traces(proc=tmp_path / "proc")) == {}


class TestSystemdUnit:
    def test_quotes_several_assignments_and_continued_lines_are_understood(self, tmp_path: Path) -> None:
        unit(
            tmp_path,
            "[Unit]\nEnvironment=OLLAMA_ORIGINS=*\n[Service]\n# Environment=OLLAMA_DEBUG=1\n"
            "Environment=\"OLLAMA_HOST=0.0.0.0:11434\" 'OLLAMA_MODELS=/data/my models' \\\n   OLLAMA_NUM_PARALLEL=2\n"
            "Environment=PATH=/usr/bin OLLAMA_DEBUG=50%%\nExecStart=/usr/local/bin/ollama serve\n",
        )
        assert {name: value for name, (value, _) in values(Traces(unit_folders=(tmp_path,))).items()} == {
            "OLLAMA_HOST": "0.0.0.0:11434",
            "OLLAMA_MODELS": "/data/my models",
            "OLLAMA_NUM_PARALLEL": "2",
            "OLLAMA_DEBUG": "50%",
        }

    def test_drop_ins_come_after_the_unit_in_the_order_of_their_names(self, tmp_path: Path) -> None:
        unit(tmp_path, "[Service]\nEnvironment=OLLAMA_NUM_PARALLEL=1 OLLAMA_KEEP_ALIVE=1m\n")
        unit(tmp_path, "[Service]\nEnvironment=OLLAMA_NUM_PARALLEL=3\n", "20-b.conf")
        unit(tmp_path, "[Service]\nEnvironment=OLLAMA_NUM_PARALLEL=2\n", "10-a.conf")
        unit(tmp_path, "[Service]\nEnvironment=OLLAMA_NUM_PARALLEL=9\n", "30-not-read.conf.bak")
        found = values(Traces(unit_folders=(tmp_path,)))
        assert found["OLLAMA_NUM_PARALLEL"] == ("3", "systemd drop-in 20-b.conf")
        assert found["OLLAMA_KEEP_ALIVE"] == ("1m", "systemd unit")

    def test_empty_assignment_takes_back_all_before_it(self, tmp_path: Path) -> None:
        unit(tmp_path, "[Service]\nEnvironment=OLLAMA_NUM_PARALLEL=1\n")
        unit(tmp_path, "[Service]\nEnvironment=\nEnvironment=OLLAMA_KEEP_ALIVE=1m\n", "override.conf")
        assert set(values(Traces(unit_folders=(tmp_path,)))) == {"OLLAMA_KEEP_ALIVE"}

    def test_stronger_folder_hides_files_of_the_same_name(self, tmp_path: Path) -> None:
        etc, lib = tmp_path / "etc", tmp_path / "lib"
        unit(lib, "[Service]\nEnvironment=OLLAMA_NUM_PARALLEL=1\n")
        unit(lib, "[Service]\nEnvironment=OLLAMA_KEEP_ALIVE=1m\n", "vendor.conf")
        unit(lib, "[Service]\nEnvironment=OLLAMA_DEBUG=1\n", "override.conf")
        unit(etc, "[Service]\nEnvironment=OLLAMA_NUM_PARALLEL=4\n", "override.conf")
        found = values(Traces(unit_folders=(etc, lib)))
        assert {name: value for name, (value, _) in found.items()} == {
            "OLLAMA_NUM_PARALLEL": "4",
            "OLLAMA_KEEP_ALIVE": "1m",
        }

    def test_environment_file_counts_more_than_lines(self, tmp_path: Path) -> None:
        extra = tmp_path / "ollama.env"
        extra.write_text("# comment\nOLLAMA_NUM_PARALLEL=5\n\n")
        unit(tmp_path, f"[Service]\nEnvironmentFile=-{extra}\nEnvironment=OLLAMA_NUM_PARALLEL=1\n")
        assert values(Traces(unit_folders=(tmp_path,)))["OLLAMA_NUM_PARALLEL"] == ("5", f"systemd unit: {extra}")

    def test_missing_environment_file_and_open_quotes_are_no_error(self, tmp_path: Path) -> None:
        unit(tmp_path, '[Service]\nEnvironmentFile=/nowhere/x\nEnvironment="OLLAMA_DEBUG=1\n')
        assert values(Traces(unit_folders=(tmp_path,))) == {}

    def test_comes_before_the_environment(self, tmp_path: Path) -> None:
        unit(tmp_path, "[Service]\nEnvironment=OLLAMA_NUM_PARALLEL=4\n")
        found = values(Traces(unit_folders=(tmp_path,)), {"OLLAMA_NUM_PARALLEL": "1", "OLLAMA_DEBUG": "1"})
        assert found["OLLAMA_NUM_PARALLEL"] == ("4", "systemd unit")
        assert found["OLLAMA_DEBUG"] == ("1", "environment")

    def test_drop_in_without_a_unit_says_nothing(self, tmp_path: Path) -> None:
        unit(tmp_path, "[Service]\nEnvironment=OLLAMA_NUM_PARALLEL=4\n", "override.conf")
        assert values(Traces(unit_folders=(tmp_path,))) == {}


class TestDesktopApp:
    @staticmethod
    def database(path: Path, **columns: object) -> Traces:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"CREATE TABLE settings (id INTEGER, {', '.join(columns)})")
            marks = ", ".join("?" for _ in columns)
            connection.execute(f"INSERT INTO settings VALUES (1, {marks})", tuple(columns.values()))
            connection.commit()
        return Traces(app_database=path)

    def test_settings_become_the_variables_it_starts_the_server_with(self, tmp_path: Path) -> None:
        traces = self.database(
            tmp_path / "db.sqlite", expose=1, browser=1, models=str(tmp_path), context_length=16384, selected_model="x"
        )
        assert values(traces, {"OLLAMA_CONTEXT_LENGTH": "4096"}) == {
            "OLLAMA_CONTEXT_LENGTH": ("16384", "desktop app"),
            "OLLAMA_HOST": ("0.0.0.0", "desktop app"),
            "OLLAMA_MODELS": (str(tmp_path), "desktop app"),
            "OLLAMA_ORIGINS": ("*", "desktop app"),
        }

    def test_what_is_switched_off_says_nothing(self, tmp_path: Path) -> None:
        traces = self.database(tmp_path / "db.sqlite", expose=0, browser=0, models="", context_length=0)
        assert values(traces) == {}

    def test_folder_that_is_gone_is_not_passed_on(self, tmp_path: Path) -> None:
        assert values(self.database(tmp_path / "db.sqlite", models=str(tmp_path / "gone"))) == {}

    def test_older_table_with_fewer_columns_is_understood(self, tmp_path: Path) -> None:
        assert set(values(self.database(tmp_path / "db.sqlite", context_length=8192))) == {"OLLAMA_CONTEXT_LENGTH"}

    def test_broken_database_is_no_error_and_is_not_changed(self, tmp_path: Path) -> None:
        path = tmp_path / "db.sqlite"
        path.write_bytes(b"no database")
        assert values(Traces(app_database=path)) == {}
        assert path.read_bytes() == b"no database"
        assert list(tmp_path.iterdir()) == [path]

    def test_missing_database_is_not_created(self, tmp_path: Path) -> None:
        assert values(Traces(app_database=tmp_path / "db.sqlite")) == {}
        assert list(tmp_path.iterdir()) == []


class TestLaunchdAgent:
    def test_variables_are_read(self, tmp_path: Path) -> None:
        plist = tmp_path / "homebrew.mxcl.ollama.plist"
        plist.write_text(
            '<?xml version="1.0"?><plist version="1.0"><dict><key>EnvironmentVariables</key><dict>'
            "<key>OLLAMA_FLASH_ATTENTION</key><string>1</string></dict></dict></plist>"
        )
        found = values(Traces(agents=(plist,)))
        assert found == {"OLLAMA_FLASH_ATTENTION": ("1", "launchd homebrew.mxcl.ollama.plist")}

    @pytest.mark.parametrize("content", [b"", b"<plist>", b"\xff\xfe", b"<plist><array/></plist>"])
    def test_broken_list_is_no_error(self, content: bytes, tmp_path: Path) -> None:
        plist = tmp_path / "x.plist"
        plist.write_bytes(content)
        assert values(Traces(agents=(plist,))) == {}


@pytest.mark.parametrize(
    ("platform", "environ", "expected"),
    [
        ("linux", {"HOME": "/home/ada"}, {"proc", "unit_folders"}),
        ("darwin", {"HOME": "/Users/ada"}, {"app_database", "agents"}),
        ("win32", {"USERPROFILE": "C:/Users/ada", "LOCALAPPDATA": "C:/Users/ada/AppData/Local"}, {"app_database"}),
        ("linux", {}, {"proc", "unit_folders"}),
        ("darwin", {}, set()),
        ("win32", {}, set()),
    ],
)
def test_each_system_has_its_own_traces(platform: str, environ: dict[str, str], expected: set[str]) -> None:
    traces = Traces.of_this_machine(environ, platform)
    assert {name for name in ("proc", "unit_folders", "app_database", "agents") if getattr(traces, name)} == expected


@pytest.mark.skipif(sys.platform != "linux", reason="reads the real /proc")
def test_real_proc_can_be_searched() -> None:
    assert isinstance(read_settings(os.environ, port=1), dict)


@pytest.mark.parametrize(
    ("text", "meant"),
    [("1", True), ("t", True), ("TRUE", True), ("yes", True), ("off", True), ("0", False), ("f", False),
     ("False", False), ("", False), (" 0 ", False), ('"false"', False)],
)  # fmt: skip
def test_truth_values_are_read_as_go_reads_them(text: str, meant: bool) -> None:
    assert go_bool(text) is meant
