"""Are settings of the directory target that make no sense complained about, and where does its path lie?"""

from __future__ import annotations

import pytest

from reconciler.errors import PersonNeeded
from reconciler.targets.directory import DirectoryTarget
from reconciler.targets.rehearsal import version
from tests.integration.test_target_directory import deploy


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"kep": 3}, "kep is unknown: did you mean keep?"),
        ({"colour": 3}, "colour is unknown: there are keep and path"),
        ({"keep": -1}, "keep must be at least 0"),
        ({"keep": "3"}, "keep takes a whole number, not a text"),
        ({"path": "../up"}, "path: '..' is not followed (write an absolute path, or one below the data directory)"),
        ({"path": " "}, "path: it names no directory (write an absolute path, or one below the data directory)"),
    ],
)
def test_wrong_settings_are_complained_about(settings, complaint, tmp_path):
    assert DirectoryTarget.check(settings) == [complaint]
    with pytest.raises(PersonNeeded) as raised:
        DirectoryTarget("live", settings, tmp_path)
    assert complaint in str(raised.value)


def test_all_wrong_settings_are_complained_about_at_once():
    assert len(DirectoryTarget.check({"keep": "x", "path": 3, "other": 1})) == 3


def test_the_path_is_below_the_data_directory_unless_it_is_absolute(tmp_path):
    for settings, place in [
        ({}, "data/releases/live/booking"),
        ({"path": "web/live"}, "data/web/live/booking"),
        ({"path": str(tmp_path / "srv")}, "srv/booking"),
    ]:
        deploy(DirectoryTarget("live", settings, tmp_path / "data"), "d1", version(1))
        assert (tmp_path / place / "current" / "index.html").is_file()
