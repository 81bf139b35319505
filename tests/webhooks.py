"""Webhooks as forges send them: real payloads where there are published ones, signed with a secret of the test's."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime
from pathlib import Path

DATA = Path(__file__).with_name("data") / "webhooks"
SECRET = "rotated-on-mondays"
GITHUB_PUSH = (DATA / "github-push.json").read_bytes()
GITHUB_PING = (DATA / "github-ping.json").read_bytes()
# What GitLab, Gitea and Bitbucket send on a push, as far as their documentation shows it.
PUSH = json.dumps(
    {"object_kind": "push", "ref": "refs/heads/main", "after": "da1560886d4f094c3e6c9ef40349f7d38b5d27d7"}
)


def mac(body: bytes, secret: str = SECRET) -> str:
    """The HMAC-SHA256 of a body, in hexadecimal."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def github(body: bytes, secret: str = SECRET, event: str = "push", delivery: str = "72d3162e") -> dict[str, str]:
    """What GitHub sends along."""
    return {
        "User-Agent": "GitHub-Hookshot/044aadd",
        "X-GitHub-Delivery": delivery,
        "X-GitHub-Event": event,
        "X-Hub-Signature-256": f"sha256={mac(body, secret)}",
        "Content-Type": "application/json",
    }


def gitlab(secret: str = SECRET) -> dict[str, str]:
    """What GitLab sends along with a secret token."""
    return {"X-Gitlab-Event": "Push Hook", "X-Gitlab-Token": secret, "Content-Type": "application/json"}


def bitbucket(body: bytes, secret: str = SECRET) -> dict[str, str]:
    """What Bitbucket sends along."""
    return {"X-Event-Key": "repo:push", "X-Hub-Signature": f"sha256={mac(body, secret)}"}


def standard(
    body: bytes, at: datetime, secret: str = SECRET, identifier: str = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"
) -> dict[str, str]:
    """What a sender of Standard Webhooks sends along; GitLab with a signing token does so too."""
    key = base64.b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()
    moment = str(int(at.timestamp()))
    signed = hmac.new(key, f"{identifier}.{moment}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": identifier,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }
