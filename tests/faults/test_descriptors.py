"""What happens while the daemon may open no more files?"""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.daemon import Live
from tests.faults import aftermath


@contextmanager
def no_descriptors(pid: int, spare: int) -> Iterator[None]:
    """A running process may open only so many more files."""
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    highest = max(int(name) for name in os.listdir(f"/proc/{pid}/fd"))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (highest + 1 + spare, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


def test_no_files_can_be_opened_for_a_while(live: Live) -> None:
    live.settings["repository"]["interval"] = "1s"
    live.start_repository()
    live.start()
    live.wait_for(lambda: live.everywhere("one"), "the first version runs everywhere")
    assert live.process is not None
    with no_descriptors(live.process.pid, 0):
        live.commit("Two", {"shop/index.html": "two"})
        live.wait_for(lambda: "Too many open files" in live.log or "unable to open" in live.log, "it is said")
    live.wait_for(lambda: live.everywhere("two"), "it goes on when it may open files again")
    aftermath.check(live)


def test_only_few_files_can_be_opened_while_much_is_to_be_done(live: Live) -> None:
    live.settings["repository"]["interval"] = "1s"
    live.start_repository()
    live.start()
    live.wait_for(lambda: live.everywhere("one"), "the first version runs everywhere")
    assert live.process is not None
    for spare in (3, 6, 9, 12):
        with no_descriptors(live.process.pid, spare):
            live.commit(f"With {spare}", {"shop/index.html": str(spare), f"shop/{spare}.html": str(spare)})
            live.pause_for(0.7)
    live.wait_for(lambda: live.everywhere("12"), "it goes on when it may open files again")
    aftermath.check(live, lines=60)
