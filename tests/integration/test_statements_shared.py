"""Do threads that are the first to ask the same of a store at the same time all read what stands there?"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Dialect, literal_column, select

from reconciler.store.database import Database
from reconciler.store.statements import Prepared
from reconciler.store.types import Json
from tests.stores import store_url

FIRST = 2
"""Threads that ask together."""


class Met(Json):
    """JSON of which each thread that asks how it is read waits for the others, as far as they ask, too."""

    cache_ok = True
    others = threading.Barrier(FIRST, timeout=2)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str | None], Any]:
        with suppress(threading.BrokenBarrierError):
            self.others.wait()
        return super().result_processor(dialect, coltype)


def test_those_who_ask_first_together_and_whoever_asks_later_read_the_same(tmp_path: Path) -> None:
    statement = Prepared(select(literal_column("'[{\"percent\": 100}]'", Met()).label("traffic")))
    store = Database(store_url(tmp_path))

    def ask(_number: int) -> Any:
        with store.read() as connection:
            return statement.run(connection).scalar()

    try:
        with ThreadPoolExecutor(FIRST) as threads:
            found = list(threads.map(ask, range(FIRST)))
        assert [*found, ask(0)] == [[{"percent": 100}]] * (FIRST + 1)
    finally:
        store.close()
