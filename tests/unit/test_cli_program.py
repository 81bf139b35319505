"""Does the command line itself behave: help, wrong use, errors, without any store or repository?"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import pytest

from reconciler import words
from reconciler.cli import asking, endings, main, printing
from reconciler.cli.planned import escaped
from reconciler.errors import NotSo, StoreError, WrongUse
from tests.commands import typed

HOSTILE = "\x1b[2J\n::error::x\u202e"


@pytest.mark.parametrize("verb", list(main.VERBS))
def test_every_verb_has_help_that_says_what_the_list_says(verb: str, tmp_path: Path) -> None:
    done = typed(verb, "--help", at=tmp_path)
    assert done.status == 0
    assert done.out.startswith(f"Usage: reconciler {verb}")
    assert "--config FILE" in done.out
    assert main.verb(verb).help


def test_the_list_of_verbs_imports_none_of_them() -> None:
    code = (
        "import sys; from reconciler.cli.main import attempt; status = attempt(['--help']);"
        "heavy = {'pydantic', 'sqlalchemy', 'rich', 'git', 'yaml', 'structlog'} & sys.modules.keys();"
        "sys.exit(f'{status} {heavy}' if status or heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(verb in done.stdout for verb in main.VERBS)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["stat"], "Did you mean 'status'"),
        (["pause", "shop"], "--reason"),
        (["pause", "shop", "--reason", " ", "--until", "1h"], "say something"),
        (["pause", "shop", "--reason", "x", "--until", "soon"], "is not a date and time"),
        (["pause", "shop", "--reason", "x", "--until", "2020-01-01"], "is over"),
        (["pause", "shop", "--reason", "x", "--until", "1h", "--actor", ""], "say who you are"),
        (["pause", "shop", "--reason", "x", "--until", "1h", "--actor", HOSTILE], "without control characters"),
        (["status", "-o", "yaml"], "'yaml' is not one of"),
        (["plan", "--at", "9999999999d"], "more than a century"),
        (["plan", "--at", "99999d"], "more than a century"),
        (["plan", "--at", "36000d"], "repository"),
        (["plan", "--at", "3h", "--until", "2h"], "is earlier than --at"),
        (["plan", "--until", "2020-01-01T00:00Z"], "is earlier than now"),
        (["pause", "shop", "--reason", "x", "--until", "1h", "--actor", "a" * 201], "at most 200 letters"),
        (["pause", "shop", "--reason", "x", "--until", "1h", "--actor", "ann\nbob"], "in one line"),
        (["schema", "App", "-o", "yaml"], "'yaml' is not one of"),
        (["deployments", "list", "--limit", "0"], "0 is not in the range"),
        (["deployments", "list", "--status", "fine"], "'fine' is not one of"),
        (["schema", "Ap"], "did you mean App?"),
        (["validate", "nowhere"], "does not exist"),
        (["status", "--config", "nowhere.yaml"], "there is no settings file nowhere.yaml"),
        (["--config", "nowhere.yaml", "status"], "there is no settings file nowhere.yaml"),
        (["abort", "HEAD", "--reason", "x"], "nothing has been recorded yet"),
    ],
)
def test_wrong_use_is_told_in_a_sentence(arguments: list[str], said: str, tmp_path: Path) -> None:
    done = typed(*arguments, at=tmp_path)
    assert said in done.err
    assert done.out == ""
    assert done.status == (1 if "recorded" in said or said == "repository" else 2)
    assert "\x1b" not in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        ["status", "shop"],
        ["why", "shop", "live"],
        ["calendar"],
        ["versions", "list", "shop"],
        ["deployments", "list"],
        ["audit", "verify"],
        ["audit", "export"],
        ["resume", "shop", "--actor", "ann@example.org"],
        ["accept", "1234567", "--actor", "ann@example.org"],
    ],
)
def test_without_a_store_a_verb_says_so_and_makes_none(arguments: list[str], tmp_path: Path) -> None:
    done = typed(*arguments, at=tmp_path)
    assert (done.status, done.out) == (1, "")
    assert "nothing has been recorded yet" in done.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:///nowhere.db", "nothing has been recorded yet"),
        ("what is this", "address"),
        ("sqlite:///broken.db", "not a database"),
        ("sqlite:///empty.db", "nothing has been recorded yet"),
        ("sqlite:///newer.db", "at the schema 9999"),
        ("sqlite:///newer.db", "a newer reconciler has written it"),
        ("nosuch://somewhere/x", "nosuch"),
    ],
)
def test_a_store_that_does_not_fit_is_told(url: str, said: str, tmp_path: Path) -> None:
    import sqlite3

    (tmp_path / "broken.db").write_bytes(b"not a database at all" * 100)
    (tmp_path / "empty.db").touch()
    with sqlite3.connect(tmp_path / "newer.db") as newer:
        newer.execute("CREATE TABLE alembic_version (version_num TEXT)")
        newer.execute("INSERT INTO alembic_version VALUES ('9999')")
    newer.close()
    (tmp_path / "reconciler.yaml").write_text(json.dumps({"state": {"url": url}}))
    done = typed("status", at=tmp_path)
    assert done.status == 1
    assert said in done.err
    assert len(done.err.splitlines()) <= 3


def test_every_mistake_of_the_settings_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "reconciler.yaml").write_text("reposit" + "ry: {url: x}\nworkers: 0\n")
    done = typed("doctor", at=tmp_path)
    assert done.status == 2
    assert "did you mean repository?" in done.err
    assert "workers" in done.err


def test_what_nobody_foresaw_is_one_line_and_a_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    # The data directory's name makes the operating system raise what nothing expects.
    (tmp_path / "reconciler.yaml").write_text(json.dumps({"data": "a\0b", "repository": {"url": str(tmp_path)}}))
    done = typed("run", "--once", at=tmp_path)
    assert done.status == 1
    assert "this was not foreseen: ValueError" in done.err
    (log,) = tmp_path.glob("reconciler-*.log")
    assert str(log) in done.err
    assert "Traceback" in log.read_text()


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (KeyboardInterrupt(), 130, ""),
        (click.Abort(), 130, ""),
        (WrongUse("that is odd", "do this"), 2, "error: that is odd\n  do this\n"),
        (NotSo(HOSTILE), 1, "error: \\x1b[2J\\n::error::x\\u202e\n"),
        (PermissionError(13, "Permission denied", "state"), 1, "error: state: Permission denied\n  see to the rights"),
        (MemoryError(), 1, "error: there is not enough memory"),
        (SystemExit(3), 3, ""),
    ],
)
def test_every_error_ends_in_a_sentence(error: BaseException, status: int, said: str) -> None:
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        out.fileno = lambda: os.open(os.devnull, os.O_WRONLY)
        assert endings.ended_by(error) == status
    assert err.getvalue().startswith(said)
    assert (out.getvalue(), bool(err.getvalue())) == ("", bool(said))


def test_a_closed_pipe_is_no_error_to_read_about(tmp_path: Path) -> None:
    reading, writing = subprocess.PIPE, subprocess.DEVNULL
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "schema"], stdout=reading, stderr=subprocess.PIPE, stdin=writing
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(1)
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 0
    assert said == b""


@pytest.mark.parametrize("verb", ["schema", "--help"])
def test_head_ends_a_command_quietly(verb: str, tmp_path: Path) -> None:
    line = f"set -o pipefail; {sys.executable} -m reconciler {verb} | head -n 1"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stderr, len(done.stdout.splitlines())) == (0, "", 1)


def test_a_pipe_that_breaks_elsewhere_is_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    assert endings.ended_by(BrokenPipeError(32, "Broken pipe")) == endings.NOT_SO
    assert "Broken pipe" in capfd.readouterr().err


def test_a_full_disk_is_told_once(tmp_path: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "reconciler", "schema"], stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path
        )
    assert done.returncode == 1
    assert done.stderr.count("No space left on device") == 1


@pytest.mark.parametrize("options", [[], ["-o", "json"], ["-o", "text"]])
def test_a_schema_is_json_in_every_form(options: list[str], tmp_path: Path) -> None:
    assert typed("schema", "App", *options, at=tmp_path).json["title"] == "App"


def test_a_wall_time_is_said_on_whose_clock_it_was_read(tmp_path: Path) -> None:
    words = ["pause", "shop", "--reason", "x", "--actor", "ann", "--until"]
    assert "taken as this machine's time: 2100-12-01 09:00:00 UTC" in typed(*words, "2100-12-01T09:00", at=tmp_path).err
    assert "taken as" not in typed(*words, "2100-12-01T09:00Z", at=tmp_path).err
    said = " ".join(typed("pause", "--help", at=tmp_path).out.split())
    assert "without an offset it is this machine's time" in said


@pytest.mark.parametrize(
    ("driver", "remedy"),
    [
        ("database disk image is malformed", "put a backup in its place"),
        ("file is not a database", "put a backup in its place"),
        ("database is locked", "then type this again"),
        ("attempt to write a readonly database", "rights on the file"),
        ("connection refused", "state.url is right"),
    ],
)
def test_a_store_that_does_not_answer_is_told_with_what_a_person_does(driver: str, remedy: str) -> None:
    error = StoreError(f"the store at x does not answer: {driver}", "tried again with the next cycle")
    error.__cause__ = OSError(driver)
    with redirect_stderr(io.StringIO()) as err:
        assert endings.ended_by(error) == endings.NOT_SO
    assert remedy in err.getvalue()
    assert "cycle" not in err.getvalue()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-12-01T09:00+01:00", datetime(2026, 12, 1, 8, tzinfo=UTC)),
        ("2026-12-01T09:00Z", datetime(2026, 12, 1, 9, tzinfo=UTC)),
        # Tests run in UTC, so this machine's wall time is UTC.
        ("2026-12-01T09:00", datetime(2026, 12, 1, 9, tzinfo=UTC)),
        ("2026-12-01", datetime(2026, 12, 1, tzinfo=UTC)),
    ],
)
def test_moments_are_read(text: str, moment: datetime) -> None:
    assert asking.MOMENT.convert(text, None, None) == moment


@pytest.mark.parametrize(("kind", "sign"), [(asking.MOMENT, 1), (asking.AGO, -1)])
def test_a_length_of_time_counts_from_now(kind: asking.Moment, sign: int) -> None:
    expected = datetime.now(UTC) + sign * timedelta(hours=2)
    assert abs(kind.convert("2h", None, None) - expected) < timedelta(minutes=1)


@pytest.mark.parametrize("text", ["", "h", "2", "tomorrow", "2026-13-01", "10000-01-01", "-2h", HOSTILE])
def test_other_moments_are_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        asking.MOMENT.convert(text, None, None)


def test_text_from_outside_cannot_move_a_cursor() -> None:
    assert words.plain(HOSTILE) == "\\x1b[2J\\n::error::x\\u202e"
    assert printing.lines("a\tb\n\x1b[31mred") == ["a   b", "\\x1b[31mred"]


def test_markdown_stays_text() -> None:
    assert escaped("a|b `c` <img> [x](y) @ann") == "a\\|b \\`c\\` &lt;img\\> \\[x\\]\\(y\\) @\u200bann"


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        ("2026-06-01T12:00:00Z", "2026-06-01 14:00:00 CEST (12:00 UTC)"),
        ("2026-12-31T23:30:00Z", "2027-01-01 00:30:00 CET (2026-12-31 23:30 UTC)"),
    ],
)
def test_a_moment_is_shown_in_local_time_and_in_utc(moment: str, shown: str) -> None:
    at = datetime.fromisoformat(moment)
    assert printing.when(at, ZoneInfo("Europe/Paris")) == shown
    assert printing.when(at) == f"{at:%Y-%m-%d %H:%M:%S} UTC"


@pytest.mark.parametrize(
    ("seconds", "shown"), [(-5, "0 s"), (90, "90 s"), (3600, "60 min"), (90_000, "25 h"), (10 * 86_400, "10 days")]
)
def test_a_length_is_shown_in_its_largest_unit(seconds: int, shown: str) -> None:
    assert printing.age(timedelta(seconds=seconds)) == shown


def test_columns_are_aligned_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    printing.table(("A", "LONGER"), [("one", "1"), ("three", printing.Cell("2", "good"))])
    assert capsys.readouterr().out == "A      LONGER\none    1\nthree  2\n"


def test_a_shell_is_offered_the_verbs(tmp_path: Path) -> None:
    variables = {
        **os.environ,
        "_RECONCILER_COMPLETE": "bash_complete",
        "COMP_WORDS": "reconciler st",
        "COMP_CWORD": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "reconciler"], env=variables, capture_output=True, text=True, cwd=tmp_path
    )
    assert done.stdout.split() == ["plain,status"]


@pytest.mark.parametrize(
    "address", ["postgresql://ann:se@xq7@127.0.0.1:1/db", "postgresql://ann:se@xq7/et@127.0.0.1:1/db"]
)
@pytest.mark.parametrize("verb", ["status", "doctor", "run", "backup"])
def test_a_password_that_is_not_written_as_it_must_be_is_not_shown(address: str, verb: str, tmp_path: Path) -> None:
    (tmp_path / "reconciler.yaml").write_text(json.dumps({"state": {"url": address}, "api": {"listen": "off"}}))
    done = typed(verb, *(["--once"] if verb == "run" else ["x"] if verb == "backup" else []), at=tmp_path)
    assert done.status == 1
    assert "%40" in done.out + done.err
    assert "xq7" not in done.out + done.err
