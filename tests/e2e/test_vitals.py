"""Does a daemon show beside itself how it fares, and can what serves metrics read it?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.api.exposition import Exposition
from reconciler.store.database import Database
from reconciler.telemetry import vitals
from tests.e2e.daemon import Live, Nursery
from tests.exposed import Scraped


@pytest.fixture
def live(tmp_path: Path, nursery: Nursery) -> Iterator[Live]:
    """A world whose daemon has not begun yet."""
    found = Live(tmp_path, nursery)
    yield found
    found.close()


def read(live: Live) -> Scraped:
    """What Prometheus would read, in another process than the daemon."""
    database = Database(live.settings["state"]["url"])
    try:
        return Scraped(Exposition(database, Path(live.settings["data"])).text(datetime.now(UTC)))
    finally:
        database.close()


def test_a_daemon_shows_its_turns_until_it_ends(live: Live) -> None:
    live.start_repository()
    live.start()
    live.wait_for(lambda: live.runs("live") == "one", "the first release")
    place = Path(live.settings["data"])
    before = datetime.now(UTC).timestamp()
    live.wait_for(lambda: (vitals.read(place) or {}).get("written", 0) > before, "vitals that are newer")
    found = read(live)
    assert (found.value("reconciler_daemon_stage_seconds_count", stage="turn") or 0) >= 4
    assert (found.value("reconciler_daemon_stage_seconds_count", stage="fetch") or 0) >= 1
    assert found.value("reconciler_daemon_stage_failures_total", stage="turn") == 0
    assert (found.value("reconciler_daemon_cpu_seconds_total") or 0) > 0
    begun = found.value("reconciler_daemon_start_timestamp_seconds") or 0
    assert begun < before < (found.value("reconciler_daemon_written_timestamp_seconds") or 0)
    live.terminate()
    assert vitals.read(place) is None
    assert read(live).value("reconciler_daemon_written_timestamp_seconds") is None


def test_what_a_killed_daemon_wrote_grows_old(live: Live) -> None:
    live.start_repository()
    live.start()
    place = Path(live.settings["data"])
    live.wait_for(lambda: live.runs("live") == "one" and vitals.read(place), "the first release")
    live.kill()
    written = (vitals.read(place) or {})["written"]
    assert read(live).value("reconciler_daemon_written_timestamp_seconds") == written
