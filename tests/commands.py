"""The command line as a test types it: in this process, because starting one for every line would take minutes.

Standard output and standard error are what a pipe would carry. Tests of real processes are in `e2e`.
"""

from __future__ import annotations

import io
import json
import time
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from reconciler.cli.main import attempt
from tests.world import World


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What was printed, as JSON."""
        return json.loads(self.out)


def typed(*arguments: object, at: Path) -> Done:
    """Type a command in a directory."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with chdir(at), redirect_stdout(out), redirect_stderr(err):
        try:
            status = attempt([str(argument) for argument in arguments])
        finally:
            # `run` sends logs to what is standard error just now.
            structlog.reset_defaults()
    said, complained = (stream.buffer.getvalue().decode() for stream in (out, err))
    assert "Traceback" not in said + complained
    return Done(status, said, complained)


class Told(World):
    """A world on the real clock, as commands are, whose store they are asked about."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        (directory / "reconciler.yaml").write_text(json.dumps(self.settings))

    @property
    def now(self) -> datetime:
        """The moment that it is: time passes by itself here."""
        return datetime.now(UTC)

    @now.setter
    def now(self, _moment: datetime) -> None:
        """Nobody turns the real clock."""

    def type(self, *arguments: object) -> Done:
        """Type a command beside the settings."""
        return typed(*arguments, at=self.directory)

    def json(self, *arguments: object) -> Any:
        """What a command answers with `-o json`; it must end well."""
        done = self.type(*arguments, "-o", "json")
        assert done.status == 0, done.err
        return done.json

    def wait_until(self, moment: str) -> None:
        """Wait for a moment (RFC 3339) to be over."""
        time.sleep(max(0.0, (datetime.fromisoformat(moment) - self.now).total_seconds()) + 0.05)

    def set(self, **settings: Any) -> None:
        """Change settings."""
        self.settings |= settings
        (self.directory / "reconciler.yaml").write_text(json.dumps(self.settings))
