"""How does a person show who they are through an OpenID provider?

The code flow with PKCE, a state and a nonce. What the provider says is believed where its signature holds, it is about
this client and this very sign-in, and it is not over. Authlib is imported with the first sign-in: it is an extra.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx2

from reconciler.errors import NotSo, PersonNeeded, ReconcilerError, WrongUse
from reconciler.wishes import saying

SAFE = re.compile(r"https://[^\s]+|http://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?(/[^\s]*)?")
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""With which a provider may sign: never with none, and never with what we know too."""
LEEWAY = 60
"""Seconds by which a provider's clock may differ."""
FRESH = timedelta(hours=1)
"""How long it is believed what the provider says of itself."""
_LARGEST, _PATIENCE = 1 << 20, 10.0
_MISSING = "install it with `pip install 'reconciler[oidc]'`"


class ProviderTrouble(PersonNeeded):
    """The provider cannot be used as it is; what is said of it may be read by anybody."""


class SignInRefused(NotSo):
    """The provider says something that is not believed, or this person may do nothing here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """What the settings say."""

    issuer: str
    client_id: str
    client_secret: Callable[[], str]
    """Read when it is needed: it may lie in a file. Raises PersonNeeded."""
    address: str = ""
    name: str = "email"
    groups: str = "groups"
    scopes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A sign-in that waits for its answer. The browser keeps it meanwhile."""

    state: str
    nonce: str
    verifier: str
    then: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who signed in, and what they may do."""

    name: str
    scopes: tuple[str, ...]
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What the provider says of itself."""

    at: datetime
    authorization: str
    token: str
    keys: str
    methods: tuple[str, ...]
    algorithms: tuple[str, ...]
    scope: str


class Provider:
    """One provider. What it says of itself is kept for a while; shared by the threads that answer."""

    def __init__(self, client: Client, http: Callable[[], httpx2.Client] | None = None) -> None:
        self.client = client
        self._http = http or (lambda: httpx2.Client(timeout=_PATIENCE, follow_redirects=False))
        self._known: _Known | None = None
        self._lock = threading.Lock()

    def begin(self, begun: Begun, redirect: str, now: datetime) -> str:
        """Where the browser goes to sign in. Raises ReconcilerError."""
        with self._http() as http:
            known = self._look(http, now)
            url, _state = self._oauth(http, redirect).create_authorization_url(
                known.authorization,
                scope=known.scope,
                state=begun.state,
                nonce=begun.nonce,
                code_verifier=begun.verifier,
            )
        return str(url)

    def finish(self, begun: Begun, answer: Mapping[str, str], redirect: str, now: datetime) -> Person:
        """Who signed in, as the provider says with this answer. Raises SignInRefused, ReconcilerError."""
        if answer.get("error"):
            raise SignInRefused(f"the provider says: {answer['error'][:200]}", "sign in again")
        if answer.get("iss", self.client.issuer) != self.client.issuer:
            raise SignInRefused("another provider has answered", "sign in again")
        if not answer.get("code"):
            raise SignInRefused("the provider's answer holds no code", "sign in again")
        with self._http() as http:
            known = self._look(http, now)
            told = self._exchange(http, known, answer["code"], begun, redirect)
            claims = self._claims(http, known, told, begun, now)
        return self._person(claims)

    def _look(self, http: httpx2.Client, now: datetime) -> _Known:
        with self._lock:
            if self._known is None or not self._known.at <= now < self._known.at + FRESH:
                self._known = self._discover(http, now)
            return self._known

    def _discover(self, http: httpx2.Client, now: datetime) -> _Known:
        issuer = self.client.issuer
        said = _json(http, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if said.get("issuer") != issuer:
            raise _trouble(f"it calls itself {str(said.get('issuer'))[:200]!r}, and not as api.oidc.issuer does")
        places = [said.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
        if not all(isinstance(one, str) and SAFE.fullmatch(one) for one in places):
            raise _trouble("its end points are no https:// addresses")
        supported = said.get("id_token_signing_alg_values_supported") or ["RS256"]
        return _Known(
            at=now,
            authorization=str(places[0]),
            token=str(places[1]),
            keys=str(places[2]),
            methods=tuple(said.get("token_endpoint_auth_methods_supported") or ("client_secret_basic",)),
            algorithms=tuple(one for one in ALGORITHMS if one in supported),
            # Some tell of groups only to who asks for them.
            scope="openid email profile" + (" groups" if "groups" in (said.get("scopes_supported") or ()) else ""),
        )

    def _oauth(self, http: httpx2.Client, redirect: str) -> Any:
        try:
            from authlib.oauth2.client import OAuth2Client
        except ImportError as error:
            raise PersonNeeded("signing in through a provider needs authlib", _MISSING) from error
        return OAuth2Client(
            http,
            self.client.client_id,
            redirect_uri=redirect,
            code_challenge_method="S256",
        )

    def _exchange(self, http: httpx2.Client, known: _Known, code: str, begun: Begun, redirect: str) -> str:
        """The ID token that the code is good for."""
        from authlib.common.errors import AuthlibBaseError

        secret, oauth = self.client.client_secret(), self._oauth(http, redirect)
        by_form = "client_secret_basic" not in known.methods and "client_secret_post" in known.methods
        said = {"client_id": self.client.client_id, "client_secret": secret} if by_form else {}
        auth = None if by_form else httpx2.BasicAuth(self.client.client_id, secret)
        try:
            answer = oauth.fetch_token(
                known.token,
                grant_type="authorization_code",
                code=code,
                redirect_uri=redirect,
                code_verifier=begun.verifier,
                auth=auth or httpx2.Auth(),
                **said,
            )
        except AuthlibBaseError as error:
            raise SignInRefused(
                f"the provider did not take the code: {str(error.error)[:200]}", "sign in again"
            ) from None
        except (httpx2.HTTPError, ValueError) as error:
            raise _trouble(f"its answer cannot be read: {type(error).__name__}") from error
        found = answer.get("id_token") if isinstance(answer, Mapping) else None
        if not isinstance(found, str):
            raise _trouble("it says who nobody is: there is no ID token")
        return found

    def _claims(self, http: httpx2.Client, known: _Known, told: str, begun: Begun, now: datetime) -> dict[str, Any]:
        """What an ID token says, once everything about it holds."""
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        ours = self.client.client_id
        registry = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=LEEWAY,
            iss={"essential": True, "value": self.client.issuer},
            aud={"essential": True, "value": ours},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": begun.nonce},
        )
        try:
            keys = KeySet.import_key_set(_json(http, known.keys))  # type: ignore[arg-type]
            found = jwt.decode(told, keys, algorithms=list(known.algorithms)).claims
            registry.validate(found)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            why = getattr(error, "description", "") or type(error).__name__
            raise SignInRefused(f"what the provider says is not believed: {str(why)[:200]}", "sign in again") from error
        several = isinstance(found["aud"], list) and len(found["aud"]) > 1
        if found.get("azp", ours if not several else "") != ours:
            raise SignInRefused(
                "what the provider says is not believed: it is meant for another client", "sign in again"
            )
        return found

    def _person(self, claims: Mapping[str, Any]) -> Person:
        said = claims.get(self.client.name)
        if not isinstance(said, str) or not said:
            raise SignInRefused(f"the provider does not say {self.client.name}", "set api.oidc.name to what it says")
        if self.client.name == "email" and claims.get("email_verified", True) not in (True, "true"):
            raise SignInRefused(f"the provider has not verified the address {said[:100]}", "verify it there")
        try:
            name = saying.name(said)
        except WrongUse as error:
            raise SignInRefused(
                f"the provider's {self.client.name} is no name: {error.message}", "correct it"
            ) from error
        listed = claims.get(self.client.groups) or ()
        groups = {listed} if isinstance(listed, str) else {one for one in listed if isinstance(one, str)}
        scopes = {scope for group in groups for scope in self.client.scopes.get(group, ())}
        roles = {role for group in groups for role in self.client.roles.get(group, ())}
        if not scopes:
            raise SignInRefused(f"{name} is in no group that api.oidc.scopes names", "ask who keeps the settings")
        return Person(name=name, scopes=tuple(sorted(scopes)), roles=tuple(sorted(roles)))


def _json(http: httpx2.Client, url: str) -> dict[str, Any]:
    """What lies at an address of the provider. Raises ReconcilerError."""
    found = b""
    try:
        with http.stream("GET", url, headers={"Accept": "application/json"}) as answer:
            answer.raise_for_status()
            for piece in answer.iter_bytes():
                found += piece
                if len(found) > _LARGEST:
                    raise _trouble("it says more than anybody can read")
        said = httpx2.Response(200, content=found).json()
    except (httpx2.HTTPError, ValueError, RecursionError) as error:
        raise _trouble(f"it does not answer: {type(error).__name__}") from error
    if not isinstance(said, dict):
        raise _trouble("it does not describe itself")
    return said


def _trouble(said: str) -> ReconcilerError:
    """The provider is not as it should be: whoever keeps it, or the settings, has to look."""
    return ProviderTrouble(f"the provider cannot be used: {said}", "try again later, or sign in with a token")
