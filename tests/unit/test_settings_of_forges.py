"""What can be wrong with the settings of a forge is said without repeating what may be a secret."""

from __future__ import annotations

import pytest

from reconciler import config
from reconciler.errors import WrongUse


def loaded(tmp_path, text: str) -> config.ForgeSettings:
    (tmp_path / "reconciler.yaml").write_text(text)
    return config.load(str(tmp_path / "reconciler.yaml"), {}).forge


@pytest.mark.parametrize(
    ("forge", "said"),
    [
        ("{type: github}", "forge: a forge without a repository (add it"),
        ("{type: gitea, repository: a/b}", "write github or gitlab"),
        ("{type: github, repository: a/b, token: ghp_xyzzy}", "write env:NAME or file:PATH, never the value"),
        (
            "{type: github, repository: a/b, url: 'https://ann:xyzzy@forge.example'}",
            "an http address without a password",
        ),
        ("{type: github, repository: 'a b'}", "such as owner/name"),
        ("{type: github, repository: a/b, tokken: 'env:X'}", "there is no such setting (did you mean token?)"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, forge: str, said: str) -> None:
    with pytest.raises(WrongUse) as caught:
        loaded(tmp_path, f"forge: {forge}\n")
    assert said in caught.value.message
    assert "xyzzy" not in caught.value.message


def test_where_the_api_is(tmp_path) -> None:
    assert loaded(tmp_path, "forge: {type: github, repository: a/b}").api == "https://api.github.com"
    assert loaded(tmp_path, "forge: {type: gitlab, repository: a/b/c}").api == "https://gitlab.com/api/v4"
    own = "forge: {type: gitlab, repository: a/b, url: 'https://git.example/'}"
    assert loaded(tmp_path, own).api == "https://git.example/api/v4"
    assert loaded(tmp_path, "data: x").type is None
