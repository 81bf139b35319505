"""Which settings say who may ask over HTTP, and what is said of those that cannot hold?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler import config
from reconciler.errors import WrongUse

OIDC = {"issuer": "https://login.example.com", "client_id": "reconciler"}


def load(directory: Path, text: str, **environ: str) -> config.Settings:
    file = directory / "reconciler.yaml"
    file.write_text(text)
    return config.load(str(file), environ)


def api(directory: Path, **oidc: Any) -> config.ApiSettings:
    return load(directory, json.dumps({"api": {"oidc": {**OIDC, **oidc}}})).api


def test_without_a_provider(tmp_path: Path) -> None:
    assert load(tmp_path, "api: {listen: '127.0.0.1:1'}").api.oidc.issuer == ""
    assert load(tmp_path, "api:\n  oidc:\n").api.oidc.issuer == ""


def test_what_groups_may_do(tmp_path: Path) -> None:
    found = api(tmp_path, scopes={"ops": ["approve", "operate"]}, roles={"ops": ["qa"]}).oidc
    assert (found.scopes, found.roles) == ({"ops": ("approve", "operate")}, {"ops": ("qa",)})
    assert (found.name, found.groups, found.client_secret) == ("email", "groups", "env:OIDC_CLIENT_SECRET")


def test_variables_reach_two_levels_down(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        json.dumps({"api": {"oidc": {"client_id": "one"}}}),
        RECONCILER_API__OIDC__ISSUER="https://login.example.com",
        RECONCILER_API__OIDC__SCOPES='{"ops": ["read"]}',
    ).api.oidc
    assert (found.issuer, found.client_id, found.scopes) == ("https://login.example.com", "one", {"ops": ("read",)})


def test_a_variable_below_something_that_is_no_group(tmp_path: Path) -> None:
    for text in ("api: yes", "api: {oidc: yes}", "api: [1]"):
        with pytest.raises(WrongUse, match="it has settings of its own"):
            load(tmp_path, text, RECONCILER_API__OIDC__ISSUER="https://login.example.com")


@pytest.mark.parametrize(
    ("oidc", "words"),
    [
        ({"issuer": "http://login.example.com"}, "api.oidc.issuer: this cannot stand here"),
        ({"issuer": "http://127.0.0.1.evil.example.com"}, "api.oidc.issuer"),
        ({"issuer": "ftp://a"}, "api.oidc.issuer"),
        ({"issuer": "https://ann:hunter2@login.example.com"}, "api.oidc.issuer"),
        (
            {"address": "https://deploy.example.com"},
            r"api.oidc.address: there is no such setting \(did you mean api.address",
        ),
        ({"client_id": ""}, "a provider without a client"),
        ({"client_secret": "hunter2"}, "write env:NAME or file:PATH"),
        ({"scopes": {"ops": ["everything"]}}, "read, report, approve and operate"),
        ({"scopes": ["ops"]}, "groups, each with a list"),
        ({"scopes": "ops"}, "groups, each with a list"),
        ({"roles": {"ops": "qa"}}, "groups, each with a list of roles"),
        ({"isuer": "https://a"}, r"api.oidc.isuer: there is no such setting \(did you mean .*issuer"),
    ],
)
def test_what_cannot_hold(tmp_path: Path, oidc: dict[str, Any], words: str) -> None:
    with pytest.raises(WrongUse, match=words) as raised:
        api(tmp_path, **oidc)
    assert "hunter2" not in str(raised.value)


def test_mistakes_are_told_with_their_lines(tmp_path: Path) -> None:
    text = "api:\n  oidc:\n    issuer: ftp://a\n    client_id: b\n    client_id: c\n"
    with pytest.raises(WrongUse) as raised:
        load(tmp_path, text)
    assert "reconciler.yaml:3: api.oidc.issuer" in str(raised.value)
    assert "reconciler.yaml:5: api.oidc.client_id: it stands here twice, first in line 4" in str(raised.value)


@pytest.mark.parametrize(
    ("listen", "here"),
    [
        ("127.0.0.1:1", True),
        ("127.8.8.8:1", True),
        ("[::1]:1", True),
        ("localhost:1", True),
        ("127.example.com:1", False),
        ("0.0.0.0:1", False),
        ("[::]:1", False),
        ("off", False),
    ],
)
def test_whether_only_this_machine_can_ask(listen: str, here: bool) -> None:
    assert config.ApiSettings(listen=listen).only_here == here
