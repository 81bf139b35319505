"""How are commit statuses and deployments told to GitHub?"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from reconciler.notify.answers import judge
from reconciler.notify.forge import SHOWN, Calls, Record, State, number

HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_OF_COMMITS: dict[State, str] = {
    "pending": "pending",
    "running": "pending",
    "success": "success",
    "failure": "failure",
    "aborted": "error",
}
_OF_DEPLOYMENTS: dict[State, str] = {
    "pending": "queued",
    "running": "in_progress",
    "success": "success",
    "failure": "failure",
    "aborted": "error",
}


class GitHub:
    """A repository at GitHub."""

    def __init__(self, calls: Calls, repository: str) -> None:
        self._calls = calls
        self._at = f"repos/{quote(repository, safe='/')}"

    def status(self, commit: str, context: str, state: State, description: str) -> None:
        """A commit status; of one context, the newest counts."""
        body = {"state": _OF_COMMITS[state], "context": context, "description": description[:SHOWN]}
        judge(self._calls.send("POST", f"{self._at}/statuses/{quote(commit)}", body), "the forge")

    def find(self, record: Record, taken: frozenset[int]) -> int | None:
        """A deployment whose payload names ours."""
        asked = {"sha": record.commit, "environment": record.place, "per_page": "100"}
        for there, one in self._calls.listed(f"{self._at}/deployments", **asked):
            if _named(one.get("payload")) == record.deployment and there not in taken:
                return there
        return None

    def create(self, record: Record) -> int:
        """A deployment, made whatever other statuses say, and without merging anything."""
        body: dict[str, Any] = {
            "ref": record.commit,
            "task": "deploy",
            "auto_merge": False,
            "required_contexts": [],
            "payload": {"reconciler": record.deployment, "app": record.app},
            "environment": record.place,
            "description": record.description[:SHOWN],
        }
        return number(self._calls.send("POST", f"{self._at}/deployments", body))

    def update(self, number: int, record: Record) -> None:
        """A deployment status; a success makes the one before it inactive."""
        body = {"state": _OF_DEPLOYMENTS[record.state], "description": record.description[:SHOWN]}
        body |= {"environment_url": record.url} if record.url else {}
        judge(self._calls.send("POST", f"{self._at}/deployments/{number}/statuses", body), "the forge")


def _named(payload: Any) -> str | None:
    return payload.get("reconciler") if isinstance(payload, dict) else None
