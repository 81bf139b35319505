"""Whatever is reported in whatever order: is each deployment told of once, and does it take legal moves alone?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.deployment import LEGAL
from reconciler.model.reporting import STATES, DeploymentEvent
from reconciler.store import ledger, reports
from reconciler.store.database import Database
from reconciler.store.deployments import Filter
from reconciler.store.migrate import migrate
from reconciler.wishes import reporting
from tests.stores import store_url

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(sorted(STATES)),
        st.sampled_from(["1.0", "1.1"]),
        st.none() | st.integers(-30, 30),
        st.sampled_from(["", "https://ci/1", "https://ci/2"]),
    ),
    max_size=12,
)
PRODUCTS = count()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    url = store_url(tmp_path_factory.mktemp("reported"))
    found = Database(url)
    migrate(found)
    yield found
    found.close()


def event_of(product: str, told: tuple[str, str, int | None, str], now: datetime) -> DeploymentEvent:
    word, version, minutes, url = told
    return DeploymentEvent(
        product_name=product,
        version=version,
        environment_name="live",
        status=word,  # type: ignore[arg-type]
        build_url=url,
        occurred_at=None if minutes is None else now + timedelta(minutes=minutes),
    )


def tell(store: Database, event: DeploymentEvent, now: datetime) -> reporting.Taken:
    with store.write() as transaction:
        return reporting.report(transaction, event, actor="ci", now=now)


@given(events=EVENTS)
def test_any_order_of_events(store: Database, events: list[tuple[str, str, int | None, str]]) -> None:
    product, now = f"product-{next(PRODUCTS)}", NOON
    for one in events:
        now += timedelta(minutes=1)
        event = event_of(product, one, now)
        first = tell(store, event, now)
        # The same once more, a moment later: the answer to the first may have been lost.
        again = tell(store, event, now + timedelta(seconds=1))
        assert not again.new, (event, first, again)
    with store.read() as connection:
        found = reports.listed(connection, Filter(app=product, limit=100))
        facts = {one.id: ledger.of_subject(connection, one.id) for one in found}
    assert sorted(one.number for one in found) == list(range(1, len(found) + 1))
    for one in found:
        took = [fact["kind"].removeprefix("report.") for fact in facts[one.id]]
        assert took[-1] == one.status
        assert took[0] in ("pending", "started")
        assert all(after in LEGAL[before] for before, after in pairwise(took))
        assert one.started_at is None or one.created_at <= one.started_at
        assert one.finished_at is None or (one.started_at or one.created_at) <= one.finished_at <= now
    open_ = [one.traffic[0].version for one in found if one.active]
    assert len(open_) == len(set(open_))
    assert sum(one.status == "started" for one in found) <= 1
