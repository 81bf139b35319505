"""`reconciler tokens`: who may ask over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import asking, opened, printing
from reconciler.cli.printing import Cell
from reconciler.errors import NotSo, UnknownReference, WrongUse
from reconciler.model import access
from reconciler.wishes import saying

if TYPE_CHECKING:
    from reconciler.store.tokens import Token

_SCOPES = "; ".join(f"{scope}: {what}" for scope, what in access.ALLOWS.items())


@asking.nouns
def command() -> None:
    """Make, list and revoke tokens for the HTTP API and the dashboard."""


@asking.verb
@click.option("--name", required=True, metavar="WHO", help="Who acts with it, as an address; it is recorded.")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(access.TOKEN_SCOPES),
    multiple=True,
    required=True,
    help=f"What it allows, again for more. {_SCOPES}. Each but feed includes read.",
)
@click.option(
    "--role",
    "roles",
    multiple=True,
    metavar="NAME",
    help="In which its holder may approve, such as qa; again for more.",
)
@click.option("--expires", type=asking.MOMENT, help=f"Until when it can be used: {asking.MOMENTS}.")
@asking.actor_option
@asking.output_option()
def create(
    name: str,
    scopes: tuple[access.TokenScope, ...],
    roles: tuple[str, ...],
    expires: datetime | None,
    actor: str,
    form: str,
) -> None:
    """Make a token. It is printed once, and kept nowhere: only a digest of it is."""
    from reconciler.engine import clock
    from reconciler.store import tokens

    now, name = clock.system(), _named(name)
    if roles and "approve" not in scopes:
        raise click.UsageError("--role goes with --scope approve.")
    if access.FEED in scopes and len({*scopes}) > 1:
        raise click.UsageError("--scope feed stands alone: its token is put into an address, where others may read it.")
    if expires is not None and expires <= now:
        raise click.BadParameter(f"{printing.when(expires)} is over.", param_hint="--expires")
    written = access.Written(clock.identifier(), clock.secret())
    made = tokens.Token(
        id=written.id,
        name=name,
        scopes=tuple(scope for scope in access.TOKEN_SCOPES if scope in scopes),
        roles=tuple(role for role in map(saying.role, sorted(set(roles))) if role),
        created_at=now,
        created_by=actor,
        expires_at=expires,
    )
    with opened.store(opened.settings()) as store, store.write() as transaction:
        tokens.make(transaction, made, access.digest(written.secret))
    if form == "json":
        printing.as_json({**_json(made, now), "token": written.text})
        return
    way = "Subscribe to /calendar.ics?token=…" if access.FEED in scopes else "Send it as `Authorization: Bearer …`"
    printing.note(f"this token is shown only now; {_until(made)}. {way}")
    click.echo(written.text)


@asking.verb
@asking.output_option()
def listed(form: str) -> None:
    """List every token that was made, the newest first. None is shown itself."""
    from reconciler.engine import clock
    from reconciler.store import tokens

    now = clock.system()
    with opened.store(opened.settings()) as store, store.read() as connection:
        found = tokens.listed(connection)
    if form == "json":
        printing.as_json([_json(one, now) for one in found])
    elif found:
        headings = ("ID", "NAME", "SCOPES", "STATE", "CREATED", "BY", "EXPIRES", "USED")
        printing.table(headings, [_row(one, now) for one in found])
    else:
        printing.echo("no token was made yet: `reconciler tokens create` makes one")


@asking.verb
@click.argument("id_", metavar="ID")
@asking.actor_option
def revoke(id_: str, actor: str) -> None:
    """End the token ID, as `tokens list` shows it, and the sessions that were begun with it."""
    from reconciler.engine import clock
    from reconciler.store import tokens

    with opened.store(opened.settings()) as store, store.write() as transaction:
        written = access.read(id_)
        found = tokens.find(transaction.connection, written.id if written else id_)
        if found is None:
            raise UnknownReference(f"there is no token {id_[:20]}", "`reconciler tokens list` shows ids")
        if not tokens.revoke(transaction, found[0].id, actor, clock.system()):
            raise NotSo(f"the token {found[0].id} was revoked before", "there is nothing left to do")
    printing.echo(f"the token {found[0].id} of {found[0].name} can be used no more")


def _named(name: str) -> str:
    """Whose token it is to be, where anybody could be called so."""
    try:
        return saying.name(name)
    except WrongUse as error:
        said = error.message if name.strip() else "it is empty"
        raise click.BadParameter(
            f"{said}. Say in one line of at most {saying.LONGEST_NAME} letters whose token it is.", param_hint="--name"
        ) from None


def _until(token: Token) -> str:
    return f"it can be used until {printing.when(token.expires_at)}" if token.expires_at else "it does not expire"


def _json(token: Token, now: datetime) -> dict[str, Any]:
    from reconciler.schedule import rfc3339

    def instant(moment: datetime | None) -> str | None:
        return rfc3339(moment) if moment else None

    return {
        "id": token.id,
        "name": token.name,
        "scopes": list(token.scopes),
        "roles": list(token.roles),
        "state": token.state(now),
        "created_at": instant(token.created_at),
        "created_by": token.created_by,
        "expires_at": instant(token.expires_at),
        "revoked_at": instant(token.revoked_at),
        "revoked_by": token.revoked_by,
        "used_at": instant(token.used_at),
    }


def _row(token: Token, now: datetime) -> list[Cell | str]:
    state = token.state(now)
    return [
        token.id,
        token.name,
        ", ".join(token.scopes) + (f" as {', '.join(token.roles)}" if token.roles else ""),
        Cell(state, "good" if state == "valid" else "quiet"),
        printing.when(token.created_at),
        token.created_by,
        printing.when(token.expires_at) if token.expires_at else "never",
        printing.when(token.used_at) if token.used_at else "never",
    ]


command.add_command(create, "create")
command.add_command(listed, "list")
command.add_command(revoke, "revoke")
