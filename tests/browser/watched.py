"""A daemon that is a process of its own, with its pages in a browser: pushed to, looked at, and clicked on."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response

from reconciler.store import ledger
from tests.browser.looking import sign_in
from tests.browser.serving import token
from tests.e2e.daemon import Live, Nursery, exec_target
from tests.world import app_manifest

PATIENCE = 40_000
"""Milliseconds."""
GATED = {"sandbox": {}, "pre-release": {}, "live": {"gates": {"approvals": 1}}}
_DEPLOYS = """\
test ! -e "fails-in-$RECONCILER_ENVIRONMENT" || exit 1
test ! -e "later-in-$RECONCILER_ENVIRONMENT" || exit 75
while test -e "slow-in-$RECONCILER_ENVIRONMENT"; do sleep 0.05; done
"""


def environments(script: str = _DEPLOYS) -> str:
    """Three environments in a chain, whose target is a few lines of shell."""
    names = (("sandbox", "latest"), ("pre-release", "sandbox"), ("live", "pre-release"))
    spec = {"target": exec_target(script), "retry": {"limit": 0}, "on_failure": "hold"}
    return "\n---\n".join(
        json.dumps(
            {
                "apiVersion": "reconciler/v1",
                "kind": "Environment",
                "metadata": {"name": name},
                "spec": {"track": track, **spec},
            }
        )
        for name, track in names
    )


class Watched(Live):
    """The world of an app `shop`."""

    def __init__(self, directory: Path, nursery: Nursery, browser: Browser) -> None:
        super().__init__(directory, nursery)
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = int(found.getsockname()[1])
        self.url = f"http://127.0.0.1:{port}"
        self.settings["api"] = {"listen": f"127.0.0.1:{port}"}
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.complaints: list[str] = []
        self.broken: list[str] = []
        """What was asked for and could not be answered: whose fault that is, the log tells."""

    def begin(self, **app: object) -> None:
        """Start the daemon on a first commit, and wait until it has settled and its pages are there."""
        self.commit(
            "Begin",
            {"environments.yaml": environments(), "shop.yaml": app_manifest(**app), "shop/index.html": "one"},
        )
        self.start()
        self.wait_for(lambda: self.status_is("sandbox", "completed"), "it is released")
        with httpx2.Client(trust_env=False) as client:
            self.wait_for(lambda: _answers(client, f"{self.url}/healthz"), "the pages are served")

    def status_is(self, environment: str, status: str) -> bool:
        """How the newest deployment somewhere stands."""
        return self.history("shop", environment)[-1].status == status

    def ledger(self) -> list[dict[str, Any]]:
        """Every fact, oldest first."""
        with self.store.read() as connection:
            return list(ledger.export(connection))

    def page(self, path: str = "", *, signed_in: bool = True, script: bool = True) -> Page:
        """A page of a person's own browser."""
        context = self._browser.new_context(base_url=self.url, java_script_enabled=script, reduced_motion="reduce")
        context.set_default_timeout(PATIENCE)
        self._contexts.append(context)
        page = context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("response", self._answered)
        if signed_in:
            self.now = datetime.now(UTC)
            sign_in(page, token(self))
        if path:
            page.goto(path, wait_until="domcontentloaded")
        return page

    def _heard(self, message: ConsoleMessage) -> None:
        expected = ("the server responded with a status of", "ERR_", "EventSource")
        if message.type == "error" and not any(text in message.text for text in expected):
            self.complaints.append(message.text)

    def _answered(self, answer: Response) -> None:
        if answer.status >= 500:
            self.broken.append(f"{answer.status} for {answer.request.method} {answer.url}")

    def close(self) -> None:
        for context in self._contexts:
            context.close()
        super().close()


def _answers(client: httpx2.Client, address: str) -> bool:
    try:
        return client.get(address).status_code == 200
    except httpx2.HTTPError:
        return False
