"""What most tests of whole parts begin with: an app that runs everywhere, and somebody who asks about it over HTTP.

A module that needs another world, or one for all its tests, has a fixture of its own by the same name.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gitrepo import Repo
from tests.http_asking import Face, face
from tests.reporter import Reporter, begin
from tests.with_hands import Daemon, repository, stranger
from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A reconciler in this process whose app runs in each of three environments."""
    return World(tmp_path).begun()


@pytest.fixture
def asked(world: World) -> Iterator[Face]:
    """The HTTP API over it."""
    with face(world) as found:
        yield found


@pytest.fixture
def ci(tmp_path: Path) -> Iterator[Reporter]:
    """Somebody who deploys elsewhere and reports it, in a world that declares gates for that."""
    world = World(tmp_path)
    begin(world)
    with face(world) as asked:
        yield Reporter(asked, world)


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repo]:
    """What there is to release, while a stranger's targets are installed."""
    with stranger(tmp_path_factory.mktemp("installed") / "there"):
        yield repository(tmp_path_factory.mktemp("work") / "desired")


@pytest.fixture
def daemon(bundles: Repo, tmp_path: Path) -> Iterator[Daemon]:
    """What a daemon has around its hands, which have done nothing yet."""
    made = Daemon(bundles.path / ".git", tmp_path / "data")
    yield made
    made.close()
    assert made.others == set()
