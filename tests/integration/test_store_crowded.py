"""What becomes of those who ask the store at the same time: who finds no connection left, who asks it first?"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import QueuePool

from reconciler.errors import StoreError
from reconciler.store.database import Database
from tests.http_asking import served
from tests.stores import store_url
from tests.world import World


def test_who_finds_no_connection_free_is_told_so_and_finds_one_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Database(store_url(tmp_path))
    connections = store.engine.pool
    assert isinstance(connections, QueuePool)
    monkeypatch.setattr(connections, "_timeout", 0.01)
    most = connections.size() + connections._max_overflow
    try:
        with ExitStack() as asking:
            for _ in range(most):
                asking.enter_context(store.read())
            with pytest.raises(StoreError, match="does not answer"):
                store.ask()
        store.ask()
    finally:
        store.close()


def test_of_those_who_find_it_first_together_one_keeps_it_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = served(World(tmp_path).begun()).made.state.context
    together, several = threading.Barrier(4), list[Database]()

    def found() -> Database:
        mine = find()
        several.append(mine)
        together.wait(30)
        return mine

    find, left = context.find_store, list[Database]()
    monkeypatch.setattr(context, "find_store", found)
    monkeypatch.setattr(Database, "close", lambda store: left.append(store))
    with ThreadPoolExecutor(4) as threads:
        kept = {id(one) for one in threads.map(lambda _: context.store, range(4))}
    monkeypatch.undo()
    for one in several:
        one.close()
    assert len(several) == 4
    assert kept == {id(one) for one in several} - {id(one) for one in left}
    assert len(kept) == 1
