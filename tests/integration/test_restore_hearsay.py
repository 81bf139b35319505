"""What do `restore` and `rebuild` say of commands that other daemons ran, whose receipts lie with those?"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests import stores
from tests.commands import Told
from tests.world import CHAIN, ENVIRONMENTS, app_manifest

FILE = "now.backup"
RUN = 'echo "$RECONCILER_DEPLOYMENT $(cat index.html)" >> {notes}'


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """A world whose live apps are run by a command, the others in directories that all daemons reach; a backup."""
    made = Told(tmp_path)
    command = f"{{type: exec, command: [sh, -c, '{RUN.format(notes=tmp_path / 'notes')}']}}"
    environments = ENVIRONMENTS.replace("{type: directory, path: releases/live}", command)
    environments = environments.replace("path: releases/", f"path: {tmp_path}/shared/")
    made.commit("Begin", {"environments.yaml": environments, "shop.yaml": app_manifest(), "shop/index.html": "one\n"})
    made.settle()
    assert made.type("backup", FILE).status == 0
    return made


def release(told: Told, word: str) -> None:
    told.commit(word.title(), {"shop/index.html": f"{word}\n"})
    told.settle()


def ran(told: Told) -> list[list[str]]:
    """Deployment and version of each time that the command ran."""
    return [line.split() for line in (told.directory / "notes").read_text().splitlines()]


def elsewhere(told: Told) -> None:
    """Type what follows on another machine: the store is lost, and what was carried out lies in another directory."""
    stores.lose(told.settings["state"], told.directory)
    told.set(data=str(told.directory / "elsewhere"))


def bring_receipts(told: Told) -> None:
    shutil.copytree(told.directory / "state" / "exec", told.directory / "elsewhere" / "exec")


def test_a_command_that_ran_elsewhere_is_not_said_to_be_found_by_drift(told: Told) -> None:
    elsewhere(told)
    shutil.rmtree(told.directory / "shared" / "sandbox")
    done = told.type("restore", FILE)
    assert done.status == 0, done.err
    lines = done.out.splitlines()
    seen = lines.index("1 run nothing, which the next look for drift tells and, where that is wished, repairs:")
    assert lines[seen + 1] == "  shop in sandbox: v1 is recorded; nothing"
    assert lines[seen + 2 :] == [
        "1 have a target that only repeats what it was told, and was not told of this here. They are taken to run what "
        "is recorded, and no look for drift tells otherwise:",
        "  shop in live: v1 is recorded; nothing, as far as was told here",
    ]
    assert "what targets run: 1 of 3 as recorded" in lines
    told.settle()
    assert [version for _, version in ran(told)] == ["one"], "it is taken to run what is recorded"


def test_what_a_command_was_told_here_before_another_daemon_went_on_is_no_news(told: Told) -> None:
    first = told.history(environment="live")[-1].id
    shutil.copytree(told.directory / "state" / "exec", told.directory / "earlier")
    release(told, "two")
    assert told.type("backup", FILE, "--force").status == 0
    elsewhere(told)
    shutil.copytree(told.directory / "earlier", told.directory / "elsewhere" / "exec")
    targets = told.json("restore", FILE)["targets"]
    runs = f"deployment {first}, as far as was told here"
    assert targets["unheard"] == [{"app": "shop", "environment": "live", "recorded": "v2", "runs": runs}]
    assert (targets["same"], targets["gone"]) == (2, [])


def test_without_the_receipts_a_command_runs_again_under_a_new_id_and_with_them_it_does_not(told: Told) -> None:
    release(told, "two")
    assert [version for _, version in ran(told)] == ["one", "two"]
    elsewhere(told)
    bring_receipts(told)
    targets = told.json("restore", FILE)["targets"]
    assert {(one["environment"], one["recorded"]) for one in targets["others"]} == {(name, "v1") for name in CHAIN}
    assert targets["unheard"] == []
    told.settle()
    assert len(ran(told)) == 2
    elsewhere(told)
    shutil.rmtree(told.directory / "elsewhere")
    assert [one["environment"] for one in told.json("restore", FILE)["targets"]["unheard"]] == ["live"]
    told.settle()
    assert [version for _, version in ran(told)] == ["one", "two", "two"]
    assert len({deployment for deployment, _ in ran(told)}) == 3


@pytest.mark.parametrize("brought", [False, True])
def test_a_rebuild_knows_what_commands_ran_by_the_receipts_that_lie_here(told: Told, brought: bool) -> None:
    elsewhere(told)
    if brought:
        bring_receipts(told)
    targets = told.json("rebuild")["targets"]
    live = [one["runs"] for one in targets["others"] if one["environment"] == "live"]
    assert live == ([] if brought else ["nothing, as far as was told here"])
    told.settle()
    assert [version for _, version in ran(told)] == (["one"] if brought else ["one", "one"])
