"""A forge is asked what it knows: what is made of an answer that nobody described?"""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from reconciler.notify.addresses import NotDelivered
from reconciler.notify.forge import Calls, Forge, Record
from reconciler.notify.github import GitHub
from reconciler.notify.gitlab import GitLab

OURS = Record(
    deployment="ab12", app="shop", environment="live", commit="c0ffee", branch="main", description="", state="running"
)
KNOWN = {"sha": "c0ffee", "payload": {"reconciler": "ab12"}}


def forge(kind: type[GitHub] | type[GitLab], said: Any) -> Forge:
    """A forge that answers every question so."""
    transport = httpx2.MockTransport(lambda _request: httpx2.Response(200, content=json.dumps(said)))
    return kind(Calls(httpx2.Client(base_url="https://forge.example.org/", transport=transport)), "ours/desired")


@pytest.mark.parametrize("kind", [GitHub, GitLab])
@pytest.mark.parametrize("said", [{}, {"message": "moved"}, "deployments", 7, None, True])
def test_what_is_no_list_is_asked_again_later(kind: type[GitHub] | type[GitLab], said: Any) -> None:
    with pytest.raises(NotDelivered, match="something else than a list") as raised:
        forge(kind, said).find(OURS, frozenset())
    assert not raised.value.for_good


@pytest.mark.parametrize("kind", [GitHub, GitLab])
def test_what_has_no_number_is_none_of_ours(kind: type[GitHub] | type[GitLab]) -> None:
    odd = [None, 7, "x", [], KNOWN, {**KNOWN, "id": "7; x"}, {**KNOWN, "id": [1]}, {**KNOWN, "id": None}, {"id": 5}]
    strange = {"id": 6, "sha": ["c0ffee"], "payload": [{"reconciler": "ab12"}]}
    assert forge(kind, odd).find(OURS, frozenset()) is None
    assert forge(kind, [*odd, strange, {**KNOWN, "id": 8}, {**KNOWN, "id": 9}]).find(OURS, frozenset({8})) == 9
