"""How are commit statuses and deployments told to GitLab?"""

from __future__ import annotations

from urllib.parse import quote

import httpx2

from reconciler.notify.answers import judge
from reconciler.notify.forge import SHOWN, Calls, Record, State, number

_OF_COMMITS: dict[State, str] = {
    "pending": "pending",
    "running": "running",
    "success": "success",
    "failure": "failed",
    "aborted": "canceled",
}
_OF_DEPLOYMENTS: dict[State, str] = {**_OF_COMMITS, "pending": "created"}
_SO_ALREADY = "Cannot transition status"


class GitLab:
    """A project at GitLab."""

    def __init__(self, calls: Calls, project: str) -> None:
        self._calls = calls
        self._at = f"projects/{quote(project, safe='')}"

    def status(self, commit: str, context: str, state: State, description: str) -> None:
        """A commit status; one that is so already is refused there, which is as good."""
        body = {"state": _OF_COMMITS[state], "name": context, "description": description[:SHOWN]}
        answer = self._calls.send("POST", f"{self._at}/statuses/{quote(commit)}", body)
        _judge(answer)

    def find(self, record: Record, taken: frozenset[int]) -> int | None:
        """The newest deployment of this commit there, unless it is known as that of another one."""
        asked = {"environment": record.place, "order_by": "id", "sort": "desc", "per_page": "20"}
        for there, one in self._calls.listed(f"{self._at}/deployments", **asked):
            if one.get("sha") == record.commit and there not in taken:
                return there
        return None

    def create(self, record: Record) -> int:
        """A deployment."""
        body = {
            "environment": record.place,
            "sha": record.commit,
            "ref": record.branch,
            "tag": False,
            "status": _OF_DEPLOYMENTS[record.state],
        }
        return number(self._calls.send("POST", f"{self._at}/deployments", body))

    def update(self, number: int, record: Record) -> None:
        """How it fares now."""
        body = {"status": _OF_DEPLOYMENTS[record.state]}
        _judge(self._calls.send("PUT", f"{self._at}/deployments/{number}", body))


def _judge(answer: httpx2.Response) -> None:
    if answer.status_code == 400 and _SO_ALREADY in answer.text:
        return
    judge(answer, "the forge")
