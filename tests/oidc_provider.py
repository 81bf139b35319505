"""A small OpenID provider as a process of its own: discovery, keys, authorization with PKCE, tokens.

Everybody who comes is signed in at once. What it says next can be changed by a POST to `/control`: claims, another
algorithm, another key, another description of itself. `python -m tests.oidc_provider` prints its port.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

CLIENT, SECRET = "reconciler", "a secret of the client"
ROOT = Path(__file__).resolve().parents[1]


class Provider(ThreadingHTTPServer):
    """What the provider knows."""

    def __init__(self) -> None:
        from joserfc.jwk import RSAKey

        super().__init__(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server_address[1]}"
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self.other = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self.said: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}

    def id_token(self, asked: dict[str, str]) -> str:
        """What is said of the person who has just signed in."""
        from joserfc import jwt
        from joserfc.jwk import OctKey

        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "248289761001",
            "exp": now + 300,
            "iat": now,
            "nonce": asked["nonce"],
            "email": "ann@example.com",
            "email_verified": True,
            "groups": ["deployers", "everybody"],
            **self.said.get("claims", {}),
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        match self.said.get("alg", "RS256"):
            case "none":
                head, body = ({"alg": "none"}, claims)
                return ".".join(_b64(json.dumps(part).encode()) for part in (head, body)) + "."
            case "HS256":  # signed with what everybody knows: the public key
                public = OctKey.import_key(json.dumps(self.key.as_dict(private=False)))
                return jwt.encode({"alg": "HS256", "kid": "one"}, claims, public, algorithms=["HS256"])
            case alg:
                key = self.other if self.said.get("key") == "other" else self.key
                return jwt.encode({"alg": alg, "kid": "one"}, claims, key, algorithms=[alg])


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Provider

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        match parts.path:
            case "/.well-known/openid-configuration":
                self._answer(self._description())
            case "/keys":
                self._answer({"keys": [self.server.key.as_dict(private=False)]})
            case "/authorize":
                code = f"code-{len(self.server.codes)}"
                self.server.codes[code] = asked
                back = {"code": code, "state": asked["state"], **self.server.said.get("answer", {})}
                self.send_response(302)
                self.send_header("Location", f"{asked['redirect_uri']}?{urlencode(back)}")
                self.end_headers()
            case _:
                self._answer({}, 404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.path == "/control":
            self.server.said = json.loads(body)
            self._answer({})
            return
        given = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        basic = f"Basic {base64.b64encode(f'{CLIENT}:{SECRET}'.encode()).decode()}"
        by_form = (given.get("client_id"), given.get("client_secret")) == (CLIENT, SECRET)
        asked = self.server.codes.pop(given.get("code", ""), None)
        challenge = _b64(hashlib.sha256(given.get("code_verifier", "").encode()).digest())
        if self.headers.get("Authorization") != basic and not by_form:
            self._answer({"error": "invalid_client"}, 401)
        elif asked is None or (challenge, "S256", given.get("redirect_uri")) != (
            asked.get("code_challenge"),
            asked.get("code_challenge_method"),
            asked["redirect_uri"],
        ):
            self._answer({"error": "invalid_grant"}, 400)
        else:
            told = {"access_token": "opaque", "token_type": "Bearer", "id_token": self.server.id_token(asked)}
            self._answer(
                {name: value for name, value in told.items() if name not in self.server.said.get("without", ())}
            )

    def _description(self) -> dict[str, Any]:
        issuer = self.server.issuer
        return {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/keys",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            **self.server.said.get("description", {}),
        }

    def _answer(self, said: dict[str, Any], status: int = 200) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_said: object) -> None:
        """Nobody reads it."""


def _b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


@contextmanager
def provider() -> Iterator[str]:
    """Where a provider runs, as long as this does."""
    command = [sys.executable, "-m", "tests.oidc_provider"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


if __name__ == "__main__":
    served = Provider()
    print(served.issuer, flush=True)  # noqa: T201
    served.serve_forever()
