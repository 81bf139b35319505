"""Is a store the same on a PostgreSQL database that was made for a language, or with other letters?

On one that is ordered as American English is, small letters and capitals stand side by side, and marks hardly count.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from reconciler.store import concerns
from reconciler.store.database import Database
from reconciler.store.migrate import HEAD, create_fresh
from tests.commands import Told
from tests.http_asking import face
from tests.integration.test_cli_completion import offered
from tests.integration.test_doctor_finds import found
from tests.postgres import AMERICAN, empty_database, tell
from tests.world import ENVIRONMENTS, World, app_manifest

NAMES = ("A", "Z", "a-b", "aB", "a_b", "ab", "b")
"""In the order of their code points; in American English it is A a-b a_b ab aB b Z."""
IMAGE = f"example.org/web@sha256:{'a' * 64}"


@pytest.fixture(params=["sqlite", "american"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    made = World(tmp_path)
    if request.param == "american":
        made.settings["state"]["url"] = empty_database(request.getfixturevalue("postgresql"), AMERICAN)
    return made


def test_the_database_has_another_order_than_code_points(postgresql: str) -> None:
    asked = "SELECT string_agg(name, ' ' ORDER BY name) FROM unnest(ARRAY['A', 'Z', 'a-b', 'aB', 'ab', 'b']) AS name"
    assert tell(empty_database(postgresql, AMERICAN), asked) == "A a-b ab aB b Z"


def test_a_manifest_inside_what_becomes_a_bundle_declares_nothing_any_more(world: World) -> None:
    inner = app_manifest("inner", bundle=None, image=IMAGE)
    world.commit("Begin", {"environments.yaml": ENVIRONMENTS, "content/inner.yaml": inner, "CONTENT/z.yaml": ""})
    world.settle()
    assert [cause for cause, _, _ in world.story("sandbox", "inner")] == ["release"]
    world.commit("Outer takes the directory", {"outer.yaml": app_manifest("outer", bundle="content")})
    world.settle()
    with face(world) as asked:
        assert [one["name"] for one in asked.json("/apps")] == ["outer"]


def test_a_revert_whose_title_was_cut_goes_back(world: World) -> None:
    world.start_repository()
    world.settle()
    title = "Make the welcome page of the shop say a great deal more than it has said until now, and then some"
    taken_back = world.commit(title, {"shop/index.html": "two"})
    world.settle()
    world.commit(f'Revert "{title[:60]}…"', {"shop/index.html": "one"})
    world.settle()
    last = world.history(environment="sandbox")[-1]
    assert (last.cause, last.reverts) == ("rollback", (taken_back,))


def test_names_are_listed_and_paged_through_in_one_order(world: World) -> None:
    _begin_with(world, NAMES)
    with face(world) as asked:
        assert [one["name"] for one in asked.all("/apps?limit=2")] == list(NAMES)
        for place in ("", "&environment=live"):
            found = [one["app"] for one in asked.all(f"/status?limit=2{place}") if one["environment"] == "live"]
            assert found == list(NAMES)


def test_names_are_offered_by_how_they_begin(world: World) -> None:
    _begin_with(world, NAMES)
    assert offered(world, "status a") == ["a-b", "aB", "a_b", "ab"]
    assert offered(world, "status A") == ["A"]


def test_an_author_is_found_by_the_name_as_it_is_written(world: World) -> None:
    world.start_repository()
    world.repo.write({"shop/index.html": "two"}).commit("Two", author="Änne Özil <anne@example.org>")
    world.repo.push()
    world.settle()
    assert _found(world, "Änne Özil") == _found(world, "ÄNNE") == ["shop"]


def test_a_database_that_lacks_letters_is_refused_before_anything_is_made_in_it(
    tmp_path: Path, postgresql: str
) -> None:
    told, backup = Told(tmp_path), tmp_path / "backup"
    told.begun()
    assert told.type("backup", backup).status == 0
    url = empty_database(postgresql, "C", "LATIN1")
    told.set(state={"url": url})
    for words in (("run", "--once"), ("restore", backup)):
        done = told.type(*words)
        assert (done.status, "was made with the encoding LATIN1" in done.err) == (1, True)
        assert "ENCODING 'UTF8'" in done.err
    assert tell(url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0


def test_doctor_finds_a_store_that_lacks_letters(tmp_path: Path, postgresql: str) -> None:
    told, url = Told(tmp_path), empty_database(postgresql, "C", "LATIN1")
    told.set(state={"url": url})
    told.start_repository()
    with closing(Database(url)) as store:
        create_fresh(store)  # as an earlier version would have
    tell(url, f"CREATE TABLE alembic_version AS SELECT '{HEAD}' AS version_num")
    (one,) = found(tmp_path, "writing")
    assert (one["status"], "the encoding LATIN1" in one["detail"]) == ("bad", True)


def test_a_database_without_an_encoding_keeps_every_letter(tmp_path: Path, postgresql: str) -> None:
    world = World(tmp_path)
    world.settings["state"]["url"] = empty_database(postgresql, "C", "SQL_ASCII")
    inner = app_manifest("inner", bundle=None, image=IMAGE)
    world.commit("Änfang", {"environments.yaml": ENVIRONMENTS, "über/ö.yaml": inner})
    world.settle()
    world.commit("Ännehmen", {"outer.yaml": app_manifest("outer", bundle="über")})
    world.settle()
    with face(world) as asked:
        assert [one["name"] for one in asked.all("/apps")] == ["outer"]
    assert world.versions("outer")[0].message == "Ännehmen"


def _found(world: World, text: str) -> list[str] | None:
    with world.running() as living, living.database.read() as connection:
        return concerns.fitting(connection, concerns.Wanted(text=text), {})


def _begin_with(world: World, names: tuple[str, ...]) -> None:
    apps = {f"{at}.yaml": app_manifest(name, bundle=None, image=IMAGE) for at, name in enumerate(names)}
    world.commit("Begin", {"environments.yaml": ENVIRONMENTS, **apps})
    world.settle()
