"""Is nothing dangerous given to git, and no credential ever shown?"""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import WrongUse
from reconciler.git.addresses import address, branch, configuration, without_credentials
from reconciler.git.trouble import unreachable


@pytest.mark.parametrize(
    ("url", "shown", "local"),
    [
        ("desired.git", "/base/desired.git", True),
        ("./desired.git", "/base/desired.git", True),
        ("../desired.git", "/desired.git", True),
        ("/srv/de:sired.git", "/srv/de:sired.git", True),
        ("./a:b", "/base/a:b", True),
        ("file:///srv/with%20space.git", "/srv/with space.git", True),
        ("https://git.example.org/desired.git", "https://git.example.org/desired.git", False),
        ("https://git.example.org:8443/desired.git", "https://git.example.org:8443/desired.git", False),
        ("HTTPS://token@git.example.org/a", "https://git.example.org/a", False),
        ("ssh://git@git.example.org:22/desired.git", "ssh://git@git.example.org:22/desired.git", False),
        ("ssh://git:useless@git.example.org/desired.git", "ssh://git@git.example.org/desired.git", False),
        ("git@git.example.org:desired.git", "git@git.example.org:desired.git", False),
        ("host:desired.git", "host:desired.git", False),
        ("git://git.example.org/desired.git", "git://git.example.org/desired.git", False),
    ],
)
def test_accepted_addresses(url: str, shown: str, local: bool) -> None:
    found = address(url, Path("/base"))
    assert found.url == shown
    assert (found.path is not None) == local


@pytest.mark.parametrize(
    "url",
    [
        "",
        "-oProxyCommand=x",
        "--upload-pack=x",
        "ext::sh -c id",
        "testgit::https://a/b",
        "https://[bad",
        "https:///no-host",
        "https://-oProxyCommand=x/y",
        "ssh://-oProxyCommand=x/y",
        "-host:path",
        "git@-oProxyCommand=x:path",
        "ftp://git.example.org/a",
        "javascript://a",
        "https://a\n/b",
        "/srv/\x00",
        "https://user:pass%0Aword@git.example.org/a",
    ],
)
def test_refused_addresses(url: str) -> None:
    with pytest.raises(WrongUse) as caught:
        address(url)
    assert "repository.url" in caught.value.next_step
    assert "pass" not in str(caught.value)


def test_credentials_are_for_git_alone() -> None:
    found = address("https://deploy:p%40ss-w0rd@git.example.org/desired.git")
    assert (found.username, found.password) == ("deploy", "p@ss-w0rd")
    assert "p@ss" not in repr(found) + found.url
    said = "fatal: Authentication failed for 'https://deploy:p%40ss-w0rd@git.example.org/', p@ss-w0rd"
    assert "w0rd" not in found.scrub(said)
    assert "w0rd" not in str(unreachable(found.url, found.scrub(said)))
    environment = found.environment()
    assert environment["RECONCILER_GIT_PASSWORD"] == "p@ss-w0rd"
    assert not any("p@ss" in value for name, value in environment.items() if name.startswith("GIT_CONFIG"))


def test_other_addresses_in_messages_lose_their_credentials_too() -> None:
    said = "fatal: unable to access 'https://a:b@c.example.org/x/': redirected to http://t0ken@d.example.org"
    assert without_credentials(said) == (
        "fatal: unable to access 'https://c.example.org/x/': redirected to http://d.example.org"
    )


def test_settings_come_after_those_that_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "2")
    assert configuration([("a.b", "c")]) == {
        "GIT_CONFIG_COUNT": "3",
        "GIT_CONFIG_KEY_2": "a.b",
        "GIT_CONFIG_VALUE_2": "c",
    }


@pytest.mark.parametrize("name", ["main", "release/2026", "ümläut", "a.b", "refs/heads/main", "v1.0-rc@2"])
def test_accepted_branches(name: str) -> None:
    assert branch(name) == name.removeprefix("refs/heads/")


@pytest.mark.parametrize(
    "name",
    [
        *("", "-x", "a..b", "a b", "a~1", "a^", "a:b", "a?", "a*", "a[", "a\\b", "/a", "a/", "a//b", ".a", "a/.b"),
        *("a.lock", "a.lock/b", "a.", "@", "a@{1}", "a\nb", "refs/heads/-x", "refs/heads/", "x" * 2000, "a\x7f"),
    ],
)
def test_refused_branches(name: str) -> None:
    with pytest.raises(WrongUse, match=r"repository\.branch"):
        branch(name)


@pytest.mark.parametrize(
    ("said", "meaning", "remedy"),
    [
        ("fatal: could not read Username for 'https://x': terminal prompts disabled", "credentials", "helper"),
        ("git@x: Permission denied (publickey).\nfatal: Could not read from remote", "credentials", "ssh key"),
        ("Host key verification failed.", "host key", "known_hosts"),
        ("ssh: Could not resolve hostname x: Name or service not known\nCould not resolve host", "does not answer", ""),
        ("fatal: unable to access 'https://x/': The requested URL returned error: 404", "no repository", "url"),
        ("fatal: write error: No space left on device", "disk is full", "space"),
        ("fatal: something nobody expected", "something nobody expected", ""),
        ("", "git said nothing", ""),
    ],
)
def test_what_went_wrong_is_told_with_what_to_do(said: str, meaning: str, remedy: str) -> None:
    error = unreachable("https://x", said)
    assert meaning in error.message
    assert remedy in error.next_step
    assert "last fetched commit stays in force" in error.next_step
