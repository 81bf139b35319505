"""Are the settings of what is written to git, and of whose signatures count, told apart from mistakes?"""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler import config
from reconciler.errors import WrongUse


def load(tmp_path: Path, text: str, **variables: str) -> config.Settings:
    file = tmp_path / "reconciler.yaml"
    file.write_text(text)
    return config.load(str(file), variables)


def test_without_settings_branches_are_pushed_and_nobody_signs(tmp_path: Path) -> None:
    found = load(tmp_path, "")
    assert (found.write.branches, found.write.push, found.write.prefix) == (True, True, "reconciler/")
    assert (found.write.name, found.write.email) == ("reconciler", "reconciler@localhost")
    assert (found.signers.ssh, found.signers.gpg) == (None, None)


def test_each_can_be_set_in_the_file_and_by_variable(tmp_path: Path) -> None:
    text = 'write: {push: false, author: "Shop Bot <bot@example.org>"}\nsigners:\n  ssh: allowed\n'
    found = load(tmp_path, text, RECONCILER_WRITE__PREFIX="bot/undo-", RECONCILER_SIGNERS__GPG="keys.asc")
    assert (found.write.push, found.write.prefix) == (False, "bot/undo-")
    assert (found.write.name, found.write.email) == ("Shop Bot", "bot@example.org")
    assert (found.signers.ssh, found.signers.gpg) == ("allowed", "keys.asc")


@pytest.mark.parametrize(
    ("text", "place", "remedy"),
    [
        ("write: {prefix: ''}", "write.prefix", "how the name of a branch may begin"),
        ("write: {prefix: ../up}", "write.prefix", "how the name of a branch may begin"),
        ("write: {prefix: -x/}", "write.prefix", "how the name of a branch may begin"),
        ("write: {prefix: refs/heads/}", "write.prefix", "how the name of a branch may begin"),
        ("write: {prefix: 'a b'}", "write.prefix", "how the name of a branch may begin"),
        ("write: {author: Bot}", "write.author", '"Name <name@example.org>"'),
        ("write: {author: ' <bot@example.org>'}", "write.author", '"Name <name@example.org>"'),
        ('write: {author: "Bot\\n <bot@example.org>"}', "write.author", '"Name <name@example.org>"'),
        ("write: {push: perhaps}", "write.push", "true or false"),
        ("write: {pus: true}", "write.pus", "did you mean push?"),
        ("signers: {ssh: [a]}", "signers.ssh", "the path of a file with keys"),
        ("signers: allowed", "signers", "it has settings of its own"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_remedy(tmp_path: Path, text: str, place: str, remedy: str) -> None:
    with pytest.raises(WrongUse) as error:
        load(tmp_path, text)
    assert f":1: {place}: " in error.value.message
    assert remedy in error.value.message
