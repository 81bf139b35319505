"""What is whoever asks the store told, where so many ask at the same time that no connection is left?"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import QueuePool

from reconciler.errors import StoreError
from reconciler.store.database import Database
from tests.stores import store_url


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
