"""What do the verbs that read say of what went wrong, what is gone and what people write?"""

from __future__ import annotations

from pathlib import Path

from tests.commands import Told
from tests.integration.test_cli_reading import FAILING
from tests.world import app_manifest


def test_without_the_mirror_it_is_said_how_the_code_is_compared(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.start_repository()
    told.settle()
    told.commit("Two", {"shop/index.html": "two"})
    told.settle()
    mirror = tmp_path / "state" / "mirror.git"
    mirror.rename(tmp_path / "away")
    done = told.type("versions", "compare", "shop", "v1", "v2")
    assert done.status == 0
    assert "`reconciler run --once` fetches it again" in done.err
    assert "git diff" in told.json("versions", "compare", "shop", "v1", "v2")["code"]["missing"]
    assert told.type("run", "--once").status == 0
    assert "+two" in told.type("versions", "compare", "shop", "v1", "v2").out


def test_what_fails_is_told_with_its_reason_and_its_output(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.commit("Begin", {"environments.yaml": FAILING, "shop.yaml": app_manifest(), "shop/index.html": "one"})
    told.settle()
    (failed,) = told.json("deployments", "list", "--status", "failed")
    (live,) = (row for row in told.json("status") if row["environment"] == "live")
    assert live["deployment"] is None
    assert live["in_sync"] is False
    assert [refusal["rule"] for refusal in live["refused"]] == ["suspect"]
    assert live["held"]["deployment"] == failed["id"]
    assert live["desired"]["traffic"][0]["number"] == 1
    text = told.type("status").out
    assert "refused: suspect" in text
    assert f"reconciler retry {failed['id']}" in text
    assert "| no luck" in told.type("deployments", "show", failed["id"]).out
    refused = [step for step in told.json("why", "shop", "live")["steps"] if step["about"] == "refused"]
    assert len(refused) == 1


def test_an_orphan_is_shown_until_it_is_gone(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.start_repository()
    told.settle()
    told.commit("Leave live", {"shop.yaml": app_manifest(environments=["sandbox", "pre-release"])})
    told.settle()
    (live,) = (row for row in told.json("status") if row["environment"] == "live")
    assert live["orphaned"] is True
    assert live["desired"] is None
    assert live["deployment"]["status"] == "completed"
    assert "orphaned: left git" in told.type("status").out
    why = told.type("why", "shop", "live").out
    assert "does not place shop in live any more" in why
    assert "add live to its environments again, or set prune: true on the Environment live" in why

    told.commit("Leave git", {"shop.yaml": None})
    told.settle()
    assert {row["orphaned"] for row in told.json("status")} == {True}
    why = told.type("why", "shop", "sandbox").out
    assert "has left git" in why
    assert "it goes on running as it is, orphaned: restore the manifest" in why


def test_a_broken_file_and_a_rewritten_branch_are_shown(tmp_path: Path) -> None:
    told = Told(tmp_path)
    first = told.start_repository()
    told.commit("Second", {"shop/index.html": "two"})
    told.settle()
    told.commit("Break it", {"shop.yaml": "apiVersion: reconciler/v1\nkind: App\nmetadata: {name: shop}\nspce: {}\n"})
    told.settle()
    status = told.type("status")
    assert "shop.yaml:4:1: " in status.out
    assert "waits for manifest" in status.out
    (waiting,) = told.json("status")[0]["waiting"]
    assert waiting["for"] == "manifest"
    assert waiting["until"] is None
    remedies = [step["remedy"] for step in told.json("why", "shop", "live")["steps"] if step["about"] == "waiting"]
    assert remedies == ["mend the file and push"]

    told.repo.force(first)
    told.settle()
    assert f"{first} is held" in told.type("status").out
    doctor = told.type("doctor", "-o", "json")
    assert doctor.status == 1
    assert {one["check"] for one in doctor.json if one["status"] == "bad"} == {"rewritten branch", "manifests"}


def test_names_that_people_write_are_shown_and_not_obeyed(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.start_repository()
    told.repo.write({"shop/index.html": "\x1b]0;title\x07 two"}).commit(
        "\x1b[2J[red]clear\x1b[0m the screen", author="Eve\x1b[1m <eve@example.org>"
    )
    told.repo.push()
    told.settle()
    for words in (
        ["status"],
        ["versions", "list", "shop"],
        ["versions", "compare", "shop", "v1", "v2"],
        ["versions", "show", "shop", "v2"],
        ["deployments", "list"],
        ["why", "shop", "live"],
        ["plan"],
        ["plan", "-o", "markdown"],
    ):
        done = told.type(*words)
        assert done.status == 0
        assert "\x1b" not in done.out, words
