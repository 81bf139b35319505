"""What is a daemon among those that share a store when it begins another life?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.engine.clock import system
from reconciler.engine.membership import Membership
from reconciler.errors import LeaseLost, StoreError
from reconciler.store.database import Database
from reconciler.store.migrate import migrate
from reconciler.wiring import Running
from tests.commands import Told
from tests.postgres import empty_database


@pytest.fixture
def found(tmp_path: Path, postgresql: str) -> Iterator[Running]:
    """A daemon that leads, with a lease that no test waits for."""
    told = Told(tmp_path)
    told.set(state={"url": empty_database(postgresql), "lease": "10m"})
    told.start_repository()
    with told.running() as made:
        made.membership.join()
        assert made.membership.leads
        yield made


def others(found: Running) -> int:
    """How many lives the store knows besides the one that is."""
    with found.database.read() as connection:
        return len(found.membership.living(connection))


def test_the_one_that_led_leads_again_without_waiting_for_its_own_lease(found: Running) -> None:
    found.membership.join()
    assert (found.membership.leads, others(found)) == (True, 0)


def test_its_former_life_is_left_alone_until_what_that_began_has_come_to_its_end(found: Running) -> None:
    ending = True
    member = found.membership
    member.join(lambda: ending)
    assert (member.leads, others(found)) == (False, 1)
    assert not member.beat()
    assert (member.leads, others(found)) == (False, 1)
    ending = False
    assert member.beat()
    assert (member.leads, others(found)) == (True, 0)


def test_so_are_several_former_lives(found: Running) -> None:
    member = found.membership
    member.join(lambda: True)
    member.join(lambda: True)
    assert (member.leads, others(found)) == (False, 2)
    member.join()
    assert (member.leads, others(found)) == (True, 0)


def test_each_is_waited_for_as_long_as_its_own_lease_says(postgresql: str) -> None:
    """So a lease may be changed one daemon after another."""
    url, moment = empty_database(postgresql), [0.0]
    with closing(Database(url)) as first, closing(Database(url)) as second:
        migrate(first)
        short = Membership(first, "short", timedelta(seconds=1), system, lambda: moment[0])
        long = Membership(second, "long", timedelta(seconds=60), system, lambda: moment[0])
        short.join()
        long.join()
        for _ in range(40):
            moment[0] += 0.5
            short.beat()
        assert not long.beat(), "twenty seconds of silence are nothing to it, nor to the others"
        assert (short.leads, long.leads) == (True, False)
        moment[0] += 2
        assert long.beat(), "two seconds are too much for the other one"
        assert long.leads
        with pytest.raises((LeaseLost, StoreError)):  # its sessions were ended, too
            short.beat()
