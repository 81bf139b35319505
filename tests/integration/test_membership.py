"""What is a daemon among those that share a store when it begins another life?"""

from __future__ import annotations

from pathlib import Path

from tests.commands import Told
from tests.postgres import empty_database


def test_the_one_that_led_leads_again_without_waiting_for_its_own_lease(tmp_path: Path, postgresql: str) -> None:
    told = Told(tmp_path)
    told.set(state={"url": empty_database(postgresql), "lease": "10m"})
    told.start_repository()
    with told.running() as found:
        member = found.membership
        member.join()
        assert member.leads
        member.join()
        assert member.leads
        with found.database.read() as connection:
            # What it had begun in its former life is left alone until that is given up.
            assert len(member.living(connection)) == 1
