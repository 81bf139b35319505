"""The command `reconciler` as a process whose clock another process sets.

    python -m tests.faults.other_clock FILE ARGUMENTS…

What FILE says is how many seconds the clock is ahead. The monotonic clock goes on as it does, as on a machine whose
clock is set; libfaketime, which does the same from outside, lets `sleep` fail now and then when it must not touch that.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from reconciler import wiring  # noqa: F401 - everything that reads a clock is loaded before it is changed
from reconciler.cli import run  # noqa: F401
from reconciler.cli.main import main as command

FILE = Path(sys.argv[1])


class _Alike(type(datetime)):  # type: ignore[misc]
    """Every moment counts as one of the other clock."""

    def __instancecheck__(cls, moment: object) -> bool:
        return isinstance(moment, datetime)


class Other(datetime, metaclass=_Alike):
    """Moments, the present one of which is read on the other clock."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Any:
        return datetime.now(tz) + timedelta(seconds=float(FILE.read_text()))


def readers() -> list[Any]:
    """The modules that read the clock."""
    names = [name for name in sys.modules if name == "reconciler.engine.clock" or name.startswith("apscheduler.")]
    return [sys.modules[name] for name in names if getattr(sys.modules[name], "datetime", None) is datetime]


if __name__ == "__main__":
    assert readers()
    for module in readers():
        module.datetime = Other
    sys.argv = ["reconciler", *sys.argv[2:]]
    command()
