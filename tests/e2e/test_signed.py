"""Only commits that somebody signed who counts come in where an environment asks for that; with real keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.store import overrides
from tests.e2e.daemon import Live, environment_manifest, waiting
from tests.gitrepo import lose_objects
from tests.signing import Signed, Smith, ada, grace, smith
from tests.world import World, app_manifest

# Fixtures, which pytest finds by their names here.
__all__ = ["ada", "grace", "smith"]


class Shop:
    """The app in two environments, of which live asks for signed commits."""

    def __init__(self, world: World, smith: Smith, **gates: object) -> None:
        self.world = world
        self.signed = Signed(world.repo, smith)
        live = environment_manifest("live", "sandbox", gates={"signed": True, **gates})
        files = {
            "environments.yaml": f"{environment_manifest('sandbox', 'latest')}\n---\n{live}",
            "shop.yaml": app_manifest(environments=["sandbox", "live"]),
        }
        world.commit("Begin", files | {"shop/index.html": "one"})

    def stage(self, text: str) -> None:
        self.world.repo.write({"shop/index.html": text}).git("add", "--all")

    def ssh(self, text: str, name: str = "ada") -> str:
        self.stage(text)
        made = self.signed.ssh(f"Say {text}", name)
        self.world.repo.push()
        return made

    def gpg(self, text: str, key: str) -> str:
        self.stage(text)
        made = self.signed.gpg(f"Say {text}", key)
        self.world.repo.push()
        return made


@pytest.fixture
def allowed(tmp_path: Path, world: World, ada: str) -> Path:
    """The allowed-signers file of the settings, with one key in it."""
    file = tmp_path / "allowed"
    file.write_text(f"ada@example.org {ada}\n")
    world.settings["signers"] = {"ssh": str(file)}
    return file


@pytest.fixture
def closing() -> Iterator[list[Shop]]:
    made: list[Shop] = []
    yield made
    for one in made:
        one.signed.objects.close()


def opened(closing: list[Shop], world: World, smith: Smith, **gates: object) -> Shop:
    closing.append(Shop(world, smith, **gates))
    return closing[-1]


def why(world: World) -> str:
    """What live says of the newest version at the gate."""
    found = waiting(world, "live")
    assert {gate for gate, _ in found} == {"signature"}
    return max(said for _, said in found)


def test_without_keys_the_gate_says_how_they_are_named(world: World, smith: Smith, ada: str, closing: list[Shop]):
    shop = opened(closing, world, smith)
    world.settle()
    assert world.runs("live") is None
    assert "name an allowed-signers file (signers.ssh) or GnuPG keys (signers.gpg) in the settings" in why(world)
    shop.ssh("two")
    world.settle()
    assert "v2 needs a verified signature" in why(world)
    file = world.directory / "allowed"
    file.write_text(f"ada@example.org {ada}\n")
    world.settings["signers"] = {"ssh": str(file)}
    world.settle()
    assert (world.runs("sandbox"), world.runs("live")) == ("two", "two")


def test_signed_commits_enter_and_others_wait_with_the_reason(
    world: World, smith: Smith, allowed: Path, closing: list[Shop]
):
    shop = opened(closing, world, smith)
    world.settle()
    assert why(world).endswith("the commit is not signed")
    shop.ssh("two")
    world.settle()
    assert world.runs("live") == "two"
    smith.ssh("mallory")
    shop.ssh("three", "mallory")
    world.settle()
    assert world.runs("live") == "two"
    assert "is not in allowed-signers" in why(world)


def test_other_keys_judge_anew_what_waits_without_a_push(
    world: World, smith: Smith, allowed: Path, closing: list[Shop]
):
    shop = opened(closing, world, smith)
    line = smith.ssh("bob")
    made = shop.ssh("two", "bob")
    with world.running() as found:
        found.daemon.settle()
        assert world.runs("live") is None
        allowed.write_text(allowed.read_text() + f"bob@example.org {line}\n")
        world.later(minutes=1)
        found.daemon.settle()
        assert world.runs("live") == "two"
    # And one that does not count any more lets nothing in.
    with world.running() as found, found.database.read() as connection:
        (row,) = overrides.signatures(connection, [made])
    assert (row.good, "signed by bob@example.org" in row.detail) == (True, True)
    shop.ssh("three", "bob")
    allowed.write_text("\n".join(line for line in allowed.read_text().splitlines() if "bob" not in line) + "\n")
    world.settle()
    assert (world.runs("sandbox"), world.runs("live")) == ("three", "two")


def test_what_a_damaged_mirror_keeps_from_being_judged_is_judged_when_it_has_been_fetched_again(
    world: World, smith: Smith, allowed: Path, closing: list[Shop]
):
    shop = opened(closing, world, smith)
    line = smith.ssh("carol")
    shop.ssh("two", "carol")
    away = world.home.path.with_name("away.git")
    with world.running() as found:
        found.daemon.settle()
        found.following.objects.close()
        lose_objects(found.following.mirror.git_dir)
        world.home.path.rename(away)
        allowed.write_text(allowed.read_text() + f"carol@example.org {line}\n")
        world.later(minutes=1)
        found.daemon.settle()
        assert world.runs("live") is None
        away.rename(world.home.path)
        world.later(minutes=1)
        found.daemon.settle()
        assert world.runs("live") == "two"


def test_gpg_counts_alike(world: World, smith: Smith, grace: str, closing: list[Shop]):
    world.settings["signers"] = {"gpg": str(smith.exported(grace))}
    shop = opened(closing, world, smith)
    shop.gpg("two", grace)
    world.settle()
    assert world.runs("live") == "two"


def test_one_that_is_only_reported_is_judged_and_enters(world: World, smith: Smith, allowed: Path, closing: list[Shop]):
    opened(closing, world, smith, mode="report")
    world.settle()
    assert world.runs("live") == "one"
    made = world.history(environment="live")[0]
    with world.running() as found, found.database.read() as connection:
        from reconciler.store import ledger

        noted = [row["body"]["message"] for row in ledger.of_subject(connection, made.id) if "message" in row["body"]]
    assert any("reported only" in text and "the commit is not signed" in text for text in noted)


def test_a_key_file_that_cannot_be_read_is_told(world: World, smith: Smith, ada: str, closing: list[Shop]):
    world.settings["signers"] = {"ssh": str(world.directory / "gone")}
    shop = opened(closing, world, smith)
    shop.ssh("two")
    world.settle()
    assert "gone cannot be read" in why(world)


def test_a_daemon_notices_other_keys_by_itself(live: Live, smith: Smith, ada: str, closing: list[Shop]):
    file = live.directory / "allowed"
    file.write_text("# nobody yet\n")
    live.settings["signers"] = {"ssh": str(file)}
    live.settings["repository"]["interval"] = "1s"
    shop = opened(closing, live, smith)
    shop.ssh("two")
    live.start()
    live.wait_for(lambda: live.runs("sandbox") == "two", "the first environment")
    live.wait_for(lambda: waiting(live, "live"), "the gate")
    file.write_text(f"ada@example.org {ada}\n")
    live.wait_for(lambda: live.runs("live") == "two", "what was signed by a key that counts now")
