"""Do the migrations add up to the schema that the code uses, and does the same code run on PostgreSQL?"""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, String, inspect, select, text

from reconciler.errors import StoreError
from reconciler.store import ledger, manifest_files, migrate, tables
from reconciler.store.database import Database
from tests.playing import Player, recorded
from tests.postgres import AMERICAN, empty_database
from tests.strategies import Step
from tests.world import CHAIN

OLD_APP = (
    "INSERT INTO apps (name, path, ordinal, document, bundle, removed)"
    " VALUES (:name, :path, 0, '{}', :bundle, :removed)"
)
OLD_DECLARATION = (
    "INSERT INTO declarations (path, ordinal, kind, name, document, base) VALUES (:path, 0, 'App', :name, '{}', '')"
)


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    return empty_database(request.getfixturevalue("postgresql"))


def upgrade(connection: Connection, revision: str) -> None:
    """Bring an empty store to an earlier schema."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def test_the_migrations_add_up_to_the_schema(address: str):
    database = Database(address)
    migrate.migrate(database)
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
        assert migrate.revision(connection) == migrate.HEAD
    database.close()


def test_the_newest_migration_is_the_one_that_the_code_names():
    scripts = ScriptDirectory(str(Path(migrate.__file__).parent / "migrations"))
    assert scripts.get_heads() == [migrate.HEAD]


def test_migrating_again_changes_nothing(address: str):
    database = Database(address)
    migrate.migrate(database)
    migrate.migrate(database)
    database.close()


def test_which_bundles_are_named_is_known_of_the_apps_in_force(address: str):
    database = Database(address)
    with database.write() as transaction:
        upgrade(transaction.connection, "0009")
        for name, removed in (("shop", False), ("gone", True)):
            values = {"name": name, "path": f"{name}.yaml", "bundle": name, "removed": removed}
            transaction.connection.execute(text(OLD_APP), values)
            transaction.connection.execute(text(OLD_DECLARATION), values)
    migrate.migrate(database)
    with database.read() as connection:
        rows = connection.execute(select(tables.declarations.c.name, tables.declarations.c.bundle))
        assert {row.name: row.bundle for row in rows} == {"shop": "shop", "gone": None}
    database.close()


def test_every_text_is_compared_by_code_point(postgresql: str):
    """Whatever language its database was made for, and whether it was migrated or made at once."""
    migrated, fresh = (Database(empty_database(postgresql, AMERICAN)) for _ in range(2))
    migrate.migrate(migrated)
    migrate.create_fresh(fresh)
    for database in (migrated, fresh):
        with database.read() as connection:
            columns = inspect(connection).get_multi_columns(filter_names=list(tables.metadata.tables))
        texts = [one["type"] for found in columns.values() for one in found if isinstance(one["type"], String)]
        assert len(texts) > 100
        assert {one.collation for one in texts} == {"C"}
        database.close()


def test_a_store_from_before_is_compared_by_code_point_too(postgresql: str):
    database = Database(empty_database(postgresql, AMERICAN))
    paths = ["apps/two/b", "apps/twob", "apps/two/C", "APPS/two/a"]
    ordered = text("SELECT path FROM files ORDER BY path")
    with database.write() as transaction:
        upgrade(transaction.connection, "0010")
        transaction.connection.execute(tables.files.insert(), [{"path": path, "blob": "b"} for path in paths])
        assert list(transaction.connection.execute(ordered).scalars()) != sorted(paths)
    migrate.migrate(database)
    with database.read() as connection:
        assert list(connection.execute(ordered).scalars()) == sorted(paths)
        assert set(manifest_files.below(connection, "apps/two")) == {"apps/two/C", "apps/two/b"}
    database.close()


def test_a_store_of_a_newer_reconciler_is_refused(address: str):
    database = Database(address)
    migrate.migrate(database)
    with database.write() as transaction:
        transaction.connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer reconciler"):
        migrate.migrate(database)
    database.close()


def test_a_small_world_runs_on_either_database(address: str, tmp_path: Path):
    history = [
        Step("content", a=0),
        Step("season", environment="live", a=1, b=1),
        Step("push"),
        Step("both", a=1),
        Step("push"),
        Step("revert"),
        Step("pin", app="mail", environment="live", a=0),
        Step("break", app="mail"),
        Step("wait", a=2),
        Step("mend", app="mail"),
        Step("remove"),
    ]
    with Player(tmp_path / "world", state=address) as player:
        list(player.play(history, kills=[3, 2, 1]))
        found = recorded(player)
        with player.found.database.write() as transaction:
            ledger.seal(transaction, player.world.now)
        with player.found.database.read() as connection:
            assert ledger.verify(connection).broken_after is None
    with Player(tmp_path / "other") as player:
        list(player.play(history))
        expected = recorded(player)
    assert found.versions == expected.versions
    assert found.story() == expected.story()
    assert [d.cause for d in found.deployments["shop", CHAIN[0]]] == ["release", "release", "release", "rollback"]
