"""Did this webhook come from whoever knows the secret? Asked of its bytes, before anything is parsed.

What each forge signs, and how, is in the documentation that `SCHEMES` names. Every comparison takes as long for a wrong
value as for a right one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

TOLERANCE = timedelta(minutes=5)
"""How far the clock of a sender that signs its moment may be from ours."""
Headers = Mapping[str, str]
Scheme = Callable[[Headers, bytes, str], bool]
_STANDARD = frozenset({"gitlab", "generic"})
"""Whose deliveries may be signed as Standard Webhooks are."""


def _equal(given: str, right: str) -> bool:
    """Compares the bytes that were sent: headers are handed on as Latin-1."""
    return hmac.compare_digest(given.encode("latin-1", "backslashreplace"), right.encode("utf-8", "surrogateescape"))


def _key(secret: str) -> bytes:
    return secret.encode("utf-8", "surrogateescape")


def _hex(secret: str, body: bytes) -> str:
    return hmac.new(_key(secret), body, hashlib.sha256).hexdigest()


def _hub(header: str) -> Scheme:
    """`sha256=` and the HMAC of the body, in one header."""

    def check(headers: Headers, body: bytes, secret: str) -> bool:
        return _equal(headers.get(header, ""), f"sha256={_hex(secret, body)}")

    return check


def _bare(*names: str) -> Scheme:
    """The HMAC of the body alone, in one of these headers."""

    def check(headers: Headers, body: bytes, secret: str) -> bool:
        right = _hex(secret, body)
        return True in [_equal(headers.get(name, ""), right) for name in names]

    return check


def standard(headers: Headers, body: bytes, secret: str) -> bool:
    """Standard Webhooks: the HMAC of id, moment and body. Whether the moment is near, `clock_off` says."""
    identifier, moment = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not (moment.isascii() and moment.isdigit() and len(moment) <= 12):
        return False
    key = _decoded(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else _key(secret)
    signed = identifier.encode("utf-8", "surrogateescape") + b"." + moment.encode() + b"." + body
    right = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = headers.get("webhook-signature", "").split(" ")[:10]
    return True in [_equal(one, right) for one in given]


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return text.encode("utf-8", "surrogateescape")


def _gitlab(headers: Headers, body: bytes, secret: str) -> bool:
    """The secret itself in a header, or a signing token."""
    if "webhook-signature" in headers:
        return standard(headers, body, secret)
    return _equal(headers.get("x-gitlab-token", ""), secret)


def _generic(headers: Headers, body: bytes, secret: str) -> bool:
    if "webhook-signature" in headers:
        return standard(headers, body, secret)
    return _equal(headers.get("authorization", ""), f"Bearer {secret}")


SCHEMES: Mapping[str, Scheme] = {
    # docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
    "github": _hub("x-hub-signature-256"),
    # docs.gitlab.com/user/project/integrations/webhooks
    "gitlab": _gitlab,
    # docs.gitea.com/usage/webhooks, forgejo.org/docs/latest/user/webhooks
    "gitea": _bare("x-gitea-signature", "x-forgejo-signature"),
    "forgejo": _bare("x-forgejo-signature", "x-gitea-signature"),
    # support.atlassian.com/bitbucket-cloud/docs/manage-webhooks
    "bitbucket": _hub("x-hub-signature"),
    # standardwebhooks.com, or a bearer token
    "generic": _generic,
}


def signed(forge: str, headers: Headers, body: bytes, secrets: Sequence[str]) -> bool:
    """Whether one of the secrets has signed this, at whatever moment. `headers` are in lower case.

    All are tried, also after one that fits: how long it takes does not tell which.
    """
    return True in [SCHEMES[forge](headers, body, secret) for secret in secrets]


def clock_off(forge: str, headers: Headers, now: datetime) -> timedelta | None:
    """How long ago (below zero: how far ahead) by our clock something was signed, where that is too far from `now`
    (UTC); None where it is near enough, or no moment is signed. Asked of what `signed` has found to be right."""
    if not _moment_is_signed(forge, headers):
        return None
    off = timedelta(seconds=now.timestamp() - int(headers["webhook-timestamp"]))
    return off if abs(off) > TOLERANCE else None


def _moment_is_signed(forge: str, headers: Headers) -> bool:
    return forge in _STANDARD and "webhook-signature" in headers


def delivery(forge: str, headers: Headers, body: bytes) -> str:
    """What tells one delivery from another: what was signed, not a header that anybody could change."""
    moment = f"{headers.get('webhook-id', '')}\n{headers.get('webhook-timestamp', '')}\n"
    told = moment if _moment_is_signed(forge, headers) else ""
    return hashlib.sha256(told.encode("utf-8", "surrogateescape") + body).hexdigest()


def can_be_replayed(headers: Headers, forge: str) -> bool:
    """Whether nothing tells a delivery from the same one again: whoever has the bearer token may send as they like."""
    return forge == "generic" and "webhook-signature" not in headers
