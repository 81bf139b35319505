"""Do the built-in targets keep the contract that a stranger's target is tried with?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

import pytest

from reconciler.errors import ReconcilerError
from reconciler.model.release import Release
from reconciler.targets.base import Observed, TargetType, Work
from reconciler.targets.contract import Place, TargetContract
from reconciler.targets.directory import DirectoryTarget
from reconciler.targets.exec import ExecTarget


class TestDirectory(TargetContract):
    @pytest.fixture
    def place(self, tmp_path: Path) -> Place:
        return Place(DirectoryTarget, {"path": "releases/live", "keep": 3}, tmp_path / "data")


class TestExec(TargetContract):
    @pytest.fixture
    def place(self, tmp_path: Path) -> Place:
        log = tmp_path / "carried-out"
        log.touch()
        note = 'echo "$RECORDED" >> "$0"'
        settings = {"command": ["/bin/sh", "-c", note, str(log)], "retire": ["true"], "triggers": ["true"]}
        return Place(ExecTarget, settings, tmp_path / "data", lambda: len(log.read_text().splitlines()))


class Forgetful(DirectoryTarget):
    """Sees nothing."""

    def observe(self, app: str) -> Observed | None:
        super().observe(app)
        return None


class Eager(DirectoryTarget):
    """Unpacks whether or not it must."""

    def deploy(self, release: Release, work: Work) -> None:
        super().deploy(release, work)
        with TemporaryDirectory() as folder:
            work.unpack("plain", Path(folder))


class Deaf(DirectoryTarget):
    """Hears no abort."""

    def deploy(self, release: Release, work: Work) -> None:
        super().deploy(release, Work(work.unpack, Event(), work.say, work.environ))


class Lasting(DirectoryTarget):
    """Takes nothing away."""

    def retire(self, release: Release, work: Work) -> None:
        super().observe(release.app)


class Talkative(DirectoryTarget):
    """Says what it should not."""

    def deploy(self, release: Release, work: Work) -> None:
        super().deploy(release, work)
        work.say(str(work.environ))


class Trusting(DirectoryTarget):
    """Takes any name for a directory's."""

    def observe(self, app: str) -> Observed | None:
        return None if "/" in app else super().observe(app)


class Lenient(DirectoryTarget):
    """Accepts any setting."""

    @staticmethod
    def check(settings: Mapping[str, object]) -> list[str]:
        return []


class Belated(DirectoryTarget):
    """Does what it is told, however late."""

    def deploy(self, release: Release, work: Work) -> None:
        super().deploy(replace(release, lineage=release.deployment), work)


class Forgiving(DirectoryTarget):
    """Goes by the number alone."""

    def deploy(self, release: Release, work: Work) -> None:
        super().deploy(replace(release, lineage=""), work)


@pytest.mark.parametrize(
    ("kind", "caught_by"),
    [
        (Belated, "test_an_older_deployment_changes_nothing_any_more"),
        (Forgiving, "test_numbers_of_another_history_say_nothing"),
        (Forgetful, "test_what_was_deployed_is_seen"),
        (Eager, "test_the_same_deployment_again_changes_nothing"),
        (Deaf, "test_an_abort_before_the_start_leaves_what_runs"),
        (Lasting, "test_a_retired_app_runs_no_longer"),
        (Talkative, "test_a_secret_is_never_said"),
        (Trusting, "test_names_that_are_no_names_are_refused"),
        (Lenient, "test_a_wrong_setting_is_complained_about_and_refused"),
    ],
)
def test_a_target_that_breaks_the_contract_is_caught(kind: TargetType, caught_by: str, tmp_path: Path) -> None:
    place = Place(kind, {"path": "out"}, tmp_path / "data")
    with pytest.raises((AssertionError, ReconcilerError)):
        getattr(TargetContract(), caught_by)(place)
