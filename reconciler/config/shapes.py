"""Which settings are there, in which groups, and what holds where nothing is set?

Each is declared once, for checking and for the documentation. Where values come from is `reading`'s question.
"""

from __future__ import annotations

import posixpath
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, model_validator

from reconciler.config.hosts import OFF as OFF
from reconciler.config.hosts import Hosts, Listen, Pages, Proxies, is_here
from reconciler.config.words import (
    FORGED,
    GROUP_ROLES,
    GROUP_SCOPES,
    HISTORY,
    HTTP,
    ISSUER,
    SOURCE,
    WORKERS,
    Count,
    Identity,
    KeyFile,
    Length,
    Prefix,
    Reading,
    Secrets,
    Switch,
    Word,
    Zone,
    group,
    lasting,
    mapping,
    taking,
    unseen,
)
from reconciler.model.access import Scope
from reconciler.model.shape import refusal, shape

NUDGE = "nudge"
"""A file in the data directory; touching it makes the daemon look."""


@shape
class RepositorySettings:
    """The desired state: which repository, branch and path are followed, and how often it is looked at."""

    url: Word = "./desired.git"
    """An address that git understands, or a path; one on this machine is watched, another asked."""
    branch: Word = "main"
    """The branch that is followed."""
    path: Annotated[str, Field(strict=True), taking("a directory of the repository, or . for all of it")] = "."
    """Only what is below is followed."""
    interval: Length = timedelta(seconds=30)
    """How often a repository elsewhere is asked for its branch."""
    allow_rewrites: Switch = False
    """Whether a rewritten branch is followed at once; else it is held until somebody accepts it."""
    history: Annotated[int, Field(ge=1, le=HISTORY), taking(f"a whole number from 1 to {HISTORY:,}")] = 10_000
    """How many commits of an existing history are read at the very first start, to number versions."""


@shape
class StateSettings:
    """The recorded state: where the database is."""

    url: Annotated[Word, AfterValidator(lasting)] = "sqlite:///state/reconciler.db"
    """A file of SQLite, for one daemon, or a PostgreSQL database that several share."""
    lease: Length = timedelta(seconds=15)
    """How long one of several daemons may not be heard of before the others take its work over; on PostgreSQL."""


@shape
class OidcSettings:
    """How people sign in through an OpenID provider: not at all without an issuer."""

    issuer: Annotated[str, Field(strict=True, pattern=ISSUER), unseen("the https:// address of the provider")] = ""
    """Its address, below which `/.well-known/openid-configuration` is found."""
    client_id: Annotated[
        str, Field(strict=True, max_length=500), unseen("what the provider calls this client, in at most 500 letters")
    ] = ""
    """What the provider calls this client."""
    client_secret: Annotated[str, Field(strict=True, pattern=SOURCE), unseen("env:NAME or file:PATH")] = (
        "env:OIDC_CLIENT_SECRET"  # noqa: S105 - where it is found
    )
    """Where the secret of this client is found."""
    name: Word = "email"
    """The claim by which people are called in the ledger."""
    groups: Word = "groups"
    """The claim that says in which groups somebody is."""
    scopes: Annotated[dict[Word, tuple[Scope, ...]], BeforeValidator(mapping), taking(GROUP_SCOPES)] = Field(
        default_factory=dict
    )
    """What each group may do; whoever is in none of them is not let in."""
    roles: Annotated[dict[Word, tuple[Word, ...]], BeforeValidator(mapping), taking(GROUP_ROLES)] = Field(
        default_factory=dict
    )
    """In which roles each group approves."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.issuer and not self.client_id:
            raise refusal("a provider without a client", "add what it calls this one, client_id", "client_id")
        return self


@shape
class ApiSettings:
    """The HTTP API, the dashboard and webhooks."""

    listen: Listen = "127.0.0.1:8080"
    """Where they listen, or `off`."""
    read: Annotated[Reading, taking("auto, anyone or token")] = "auto"
    """Who may read: anyone, or whoever has a token; `auto` is anyone where only this machine can ask, and no proxy."""
    address: Pages = ""
    """Of the pages, as browsers see it, where a proxy stands in front: its name is answered, its cookies stay on HTTPS,
    and an OpenID provider leads back to it."""
    hosts: Hosts = ()
    """Further names by which browsers may ask; with any, or with an address, other names are refused."""
    proxies: Proxies = ()
    """The proxies in front, by address or network: they are believed when they say for whom they ask
    (`X-Forwarded-For`) and by which scheme (`X-Forwarded-Proto`), and nobody else is."""
    timezone: Zone = "UTC"
    """The zone of the clock that pages show first, such as Europe/Berlin."""
    reads: Count = 60_000
    """How many requests of one address are answered in a minute; a proxy in front that `proxies` does not name is one
    address."""
    writes: Count = 600
    """How many requests of one address that change something are answered in a minute."""
    connections: Count = 512
    """How many connections one address may hold open, at most as many as there are files for; a page that is seen holds
    one, and a proxy in front is one address."""
    oidc: Annotated[OidcSettings, BeforeValidator(group)] = Field(default_factory=OidcSettings)

    @property
    def only_here(self) -> bool:
        """Whether only this machine can ask."""
        return is_here(self.listen.rpartition(":")[0].strip("[]"))


@shape
class WebhookSettings:
    """The secrets that forges sign their webhooks with; a forge without one is closed."""

    github: Secrets = ()
    """Those of GitHub."""
    gitlab: Secrets = ()
    """The tokens of GitLab."""
    gitea: Secrets = ()
    """Those of Gitea."""
    forgejo: Secrets = ()
    """Those of Forgejo."""
    bitbucket: Secrets = ()
    """Those of Bitbucket."""
    generic: Secrets = ()
    """Those of anything else that can compute an HMAC."""


@shape
class WriteSettings:
    """What the daemon may write into the desired repository: branches of its own, never the one that is followed."""

    branches: Switch = True
    """Whether the commit that takes back what was rolled back is written onto a branch, ready for a pull request."""
    push: Switch = True
    """Whether it is pushed; else it stays in the mirror, in the data directory."""
    notes: Switch = False
    """Whether what was released is written into git notes, which `git log --notes=deployments` shows."""
    prefix: Prefix = "reconciler/"
    """How the names of such branches begin."""
    author: Identity = "reconciler <reconciler@localhost>"
    """Who makes such commits; a person who went back is their author."""

    @property
    def name(self) -> str:
        """The name of the author."""
        return self.author.partition("<")[0].strip()

    @property
    def email(self) -> str:
        """The address of the author."""
        return self.author.partition("<")[2].rstrip("> ")


@shape
class ForgeSettings:
    """Where commit statuses and records of deployments are written: nowhere without a type."""

    type: Annotated[Literal["github", "gitlab"] | None, taking("github or gitlab")] = None
    """Which kind it is."""
    url: Annotated[str, Field(strict=True, pattern=HTTP), unseen("an http address without a password in it")] = ""
    """Of its API; the public one of github.com or gitlab.com when left out."""
    repository: Annotated[str, Field(strict=True, pattern=FORGED), taking("the repository, such as owner/name")] = ""
    """Its name there: owner/name, or the path of a project."""
    token: Annotated[str, Field(strict=True, pattern=SOURCE), unseen("env:NAME or file:PATH, never the value")] = (
        "env:FORGE_TOKEN"  # noqa: S105 - where it is found
    )
    """Where the token is found."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.type is not None and not self.repository:
            raise refusal("a forge without a repository", "add it, such as repository: owner/name", "repository")
        return self

    @property
    def api(self) -> str:
        """The address of its API."""
        known = {"github": "https://api.github.com", "gitlab": "https://gitlab.com/api/v4"}
        url = self.url.rstrip("/") or known.get(self.type or "", "")
        return f"{url}/api/v4" if self.type == "gitlab" and "/api/" not in url else url


@shape
class SignerSettings:
    """Whose signatures count where an environment asks for signed commits."""

    ssh: KeyFile = None
    """An allowed-signers file, as git's `gpg.ssh.allowedSignersFile` names one."""
    gpg: KeyFile = None
    """A file of exported public keys, or a GnuPG home directory that is kept for this: every key in it counts."""


@shape
class Settings:
    """Everything that can be set."""

    repository: Annotated[RepositorySettings, BeforeValidator(group)] = Field(default_factory=RepositorySettings)
    state: Annotated[StateSettings, BeforeValidator(group)] = Field(default_factory=StateSettings)
    data: Word = "state"
    """Directory for the mirror, releases and locks."""
    api: Annotated[ApiSettings, BeforeValidator(group)] = Field(default_factory=ApiSettings)
    webhooks: Annotated[WebhookSettings, BeforeValidator(group)] = Field(default_factory=WebhookSettings)
    write: Annotated[WriteSettings, BeforeValidator(group)] = Field(default_factory=WriteSettings)
    forge: Annotated[ForgeSettings, BeforeValidator(group)] = Field(default_factory=ForgeSettings)
    signers: Annotated[SignerSettings, BeforeValidator(group)] = Field(default_factory=SignerSettings)
    workers: Annotated[int, Field(ge=1, le=WORKERS), taking(f"a whole number from 1 to {WORKERS}")] = 16
    """How many deployments are carried out at the same time, over all environments."""
    drain: Length = timedelta(seconds=30)
    """How long running deployments may go on after a TERM; what is not done by then is taken up at the next start."""
    full_pass: Length = timedelta(hours=1)
    """How often every app is planned anew, whether or not something marked it."""

    @property
    def place(self) -> Path:
        """The data directory, absolute."""
        return Path(self.data).absolute()

    @property
    def mirror(self) -> Path:
        """Where the mirror of the followed branch is kept; it may not be there yet."""
        return self.place / "mirror.git"

    @property
    def root(self) -> str:
        """The followed path inside the repository, '' for all of it."""
        plain = posixpath.normpath(self.repository.path.strip("/"))
        return "" if plain == "." else plain

    def nudge(self) -> None:
        """Make a daemon on this data directory look; without one nothing happens."""
        if self.place.is_dir():
            (self.place / NUDGE).touch()


SETTINGS = TypeAdapter(Settings)
