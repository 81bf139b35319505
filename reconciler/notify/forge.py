"""What does every forge have in common: an address, a token that is read when it is needed, and calls?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import httpx2
import stamina
import stamina.instrumentation

from reconciler.notify.addresses import NotDelivered, behind
from reconciler.notify.answers import judge, unreached

State = Literal["pending", "running", "success", "failure", "aborted"]
TIMEOUT = 15.0
"""Seconds that one call may take."""
ATTEMPTS, LONGEST = 3, 20.0
SHOWN = 140
"""Characters of a description, as forges allow them."""

# Its hooks log and count each second try; what matters is in the log of deliveries.
stamina.instrumentation.set_on_retry_hooks([])


@dataclass(frozen=True, slots=True)
class Place:
    """Which repository at which forge is told."""

    type: Literal["github", "gitlab"]
    url: str
    """Of its API."""
    repository: str
    """owner/name, or the path of a project."""
    token: str
    """Where it is found: `env:NAME` or `file:PATH`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A deployment as a forge is told of it."""

    deployment: str
    app: str
    environment: str
    commit: str
    branch: str
    description: str
    state: State
    url: str = ""
    """Where what was deployed can be visited, if that is known."""

    @property
    def place(self) -> str:
        """The environment at the forge: one for each app, so that each has its own newest deployment."""
        return f"{self.environment}/{self.app}"


class Forge(Protocol):
    """What is asked of a forge."""

    def status(self, commit: str, context: str, state: State, description: str) -> None:
        """Say how a commit fares. Raises NotDelivered."""

    def find(self, record: Record, taken: frozenset[int]) -> int | None:
        """The number of a record that was made and whose answer was lost. Raises NotDelivered."""

    def create(self, record: Record) -> int:
        """Make a record; its number. Raises NotDelivered."""

    def update(self, number: int, record: Record) -> None:
        """Say how a deployment fares. Raises NotDelivered."""


class Calls:
    """Calls to an API, with the token."""

    def __init__(self, client: httpx2.Client) -> None:
        self._client = client

    def listed(self, path: str, **parameters: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """What is listed there, with its numbers; tried a few times, since asking changes nothing. What has no number
        is left out. Raises NotDelivered."""
        found = self._get(path, **parameters)
        if not isinstance(found, list):
            raise NotDelivered("the forge answered with something else than a list")
        for one in found:
            if isinstance(one, dict) and isinstance(one.get("id"), int):
                yield one["id"], one

    def _get(self, path: str, **parameters: str) -> Any:
        try:
            for attempt in stamina.retry_context(on=httpx2.TransportError, attempts=ATTEMPTS, timeout=LONGEST):
                with attempt:
                    answer = self._client.get(path, params=parameters)
        except httpx2.HTTPError as error:
            raise unreached(error, "the forge", changes=False) from None
        judge(answer, "the forge")
        return _read(answer)

    def send(self, method: Literal["POST", "PUT"], path: str, body: Mapping[str, Any]) -> httpx2.Response:
        """Change something, once: whether it was is asked before it is tried again. Raises NotDelivered."""
        try:
            return self._client.request(method, path, json=dict(body))
        except httpx2.HTTPError as error:
            raise unreached(error, "the forge") from None


def number(answer: httpx2.Response) -> int:
    """The number of what was made. Raises NotDelivered."""
    judge(answer, "the forge")
    found = _read(answer)
    if not isinstance(found, dict) or not isinstance(found.get("id"), int):
        raise NotDelivered("the forge did not say what it made", unsure=True)
    return int(found["id"])


def _read(answer: httpx2.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        raise NotDelivered("the forge answered with something else than JSON") from None


@contextmanager
def calling(place: Place, environ: Mapping[str, str], header: str, prefix: str, **headers: str) -> Iterator[Calls]:
    """Calls to the API of a forge; the token goes into `header` behind `prefix`. Raises NotDelivered without one."""
    token = behind("token", place.token, environ)
    named = {header: f"{prefix}{token}", "User-Agent": "reconciler", **headers}
    try:
        client = httpx2.Client(base_url=place.url.rstrip("/") + "/", headers=named, timeout=TIMEOUT)
    except (httpx2.InvalidURL, ValueError, UnicodeError):
        raise NotDelivered("the forge's address or token cannot be used") from None
    with client:
        yield Calls(client)
