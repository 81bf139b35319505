"""What do all tests share? A machine without habits: git, time zone and Hypothesis are the same everywhere.

Set up while this file is loaded, before any test or fixture runs; processes started by tests inherit it.
Builders of test inputs do not belong here.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings


def isolate_git() -> None:
    """Forget the settings of whoever runs the tests, and of a git hook that may have started them.

    The identity comes from `tests/gitconfig`; `GIT_AUTHOR_NAME` would win over `git -c user.name=…`.
    """
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        # Certificates and the way to start ssh belong to the machine and not to a repository.
        if not name.startswith(("GIT_SSL_", "GIT_SSH")):
            del os.environ[name]
    os.environ["GIT_CONFIG_GLOBAL"] = str(Path(__file__).with_name("gitconfig"))
    os.environ["GIT_CONFIG_NOSYSTEM"] = "1"
    os.environ["GIT_TERMINAL_PROMPT"] = "0"


isolate_git()


def hear_interruptions() -> None:
    """What is started in the background of a shell ignores Ctrl-C, and so would everything that a test starts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


hear_interruptions()


def work_in_memory() -> None:
    """Keep what tests write in memory, where there is plenty: stores and repositories write durably all the time.

    What is killed is a process and no machine. Whoever wants another place says so with `TMPDIR`.
    """
    memory = Path("/dev/shm")
    if "TMPDIR" in os.environ or "PYTEST_DEBUG_TEMPROOT" in os.environ or not os.access(memory, os.W_OK):
        return
    found = os.statvfs(memory)
    if found.f_bavail * found.f_frsize >= PLENTY and not found.f_flag & os.ST_NOEXEC:
        os.environ["TMPDIR"] = str(memory)
        tempfile.tempdir = None  # looked for anew


PLENTY = 4 << 30
"""Bytes that have to be free: much more than what a run has written at any moment."""
work_in_memory()

os.environ["TZ"] = "UTC"
time.tzset()

# A slow shared machine is no reason to fail: pytest's own timeout catches what hangs.
settings.register_profile("default", deadline=None)
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL server for databases of one's own. Nobody ends it or changes how it works."""
    from tests.postgres import in_a_hurry, serving

    # It runs as another user, whom pytest shuts out of its directories.
    with tempfile.TemporaryDirectory(prefix="reconciler-") as place, serving(Path(place) / "data") as address:
        in_a_hurry(address)
        yield address


@pytest.fixture(scope="session")
def nursery() -> Iterator[Any]:
    """Where daemons are started quickly."""
    from tests.e2e.daemon import Nursery

    made = Nursery()
    yield made
    made.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None, item: pytest.Item) -> Iterator[None]:
    """What a file's tests have made in PostgreSQL goes with its last one, once their fixtures have ended."""
    try:
        return (yield)
    finally:
        used = sys.modules.get("tests.postgres")
        if used is not None and (nextitem is None or nextitem.path != item.path):
            used.forget_databases()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is about SQLite's own file has nothing to look at where the stores lie in PostgreSQL."""
    if os.environ.get("TESTS_STORE") != "postgresql":
        return
    left_out = [item for item in items if item.get_closest_marker("sqlite_only")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
