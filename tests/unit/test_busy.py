"""Does the face learn that reconciling is at work, and never believe it for longer than that is so?"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from reconciler.telemetry.busy import SPAN, Busy, shared

ASK = "import sys; from reconciler.telemetry.busy import Busy; print(Busy(int(sys.argv[1])).left())"


@pytest.fixture
def busy() -> Iterator[Busy]:
    with shared() as made:
        assert made is not None
        yield made


def write(busy: Busy, until: int) -> None:
    os.pwrite(busy.file, until.to_bytes(8, sys.byteorder, signed=True), 0)


def test_another_process_sees_what_was_said(busy: Busy) -> None:
    # A word outlives the start of a process only where it is repeated, as the daemon does with each turn.
    asking = subprocess.Popen(
        [sys.executable, "-c", ASK, str(busy.file)], pass_fds=[busy.file], stdout=subprocess.PIPE, text=True
    )
    while asking.poll() is None:
        busy.say()
    told, _ = asking.communicate()
    assert 0 < float(told) <= SPAN


def test_nothing_said_is_not_at_work(busy: Busy) -> None:
    assert busy.left() == 0


def test_it_is_over_by_itself(busy: Busy) -> None:
    busy.say()
    assert 0 < busy.left() <= SPAN
    while busy.left():
        time.sleep(0.001)
    assert busy.left() == 0


def test_it_tells_for_how_long_it_goes_on_without_a_rest(busy: Busy) -> None:
    busy.say()
    begun = time.monotonic()
    while time.monotonic() < begun + 3 * SPAN:
        busy.say()
    assert busy.lasted() >= 3 * SPAN
    while busy.left():
        time.sleep(0.001)
    busy.say()
    assert busy.lasted() < 3 * SPAN


@pytest.mark.parametrize("until", [-1, 1, 2**63 - 1])
def test_nonsense_holds_nothing_up(busy: Busy, until: int) -> None:
    write(busy, until)
    assert busy.left() == 0
