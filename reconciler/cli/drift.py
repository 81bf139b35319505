"""`reconciler drift`: is what runs what was deployed? The targets are asked now, and every file is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import asking, endings, opened, printing

if TYPE_CHECKING:
    from reconciler.engine.drifting import Look


@asking.verb
@click.argument("app", type=asking.APP, required=False)
@click.option("--environment", type=asking.ENVIRONMENT, metavar="NAME", help="In this environment alone.")
@asking.output_option()
def command(app: str | None, environment: str | None, form: str) -> int:
    """Ask the targets whether what runs (of APP alone) is what was deployed there; nothing is changed or recorded.

    The exit status is 1 where something has drifted, or where a target could not tell. What is being deployed, and what
    a target cannot see, is left out.
    """
    from reconciler.engine.drifting import look_now
    from reconciler.targets.made import Targets
    from reconciler.views import resolving

    settings = opened.settings()
    with opened.store(settings) as store:
        with store.read() as connection:
            if app is not None:
                resolving.declared_app(connection, app)
            if environment is not None:
                resolving.known_environment(connection, environment)
        targets = Targets(settings.place)
        try:
            found = list(look_now(store, targets.make, None if app is None else [app], environment))
        finally:
            targets.close()
    wrong = [one for one in found if one.detail != ""]
    if form == "json":
        printing.as_json([_json(one) for one in found])
    else:
        for one in wrong:
            _say(one)
        drifted = sum(1 for one in wrong if one.detail)
        printing.echo(f"{drifted} of {len(found)} {'has' if drifted == 1 else 'have'} drifted")
    return endings.NOT_SO if wrong else endings.DONE


def _say(one: Look) -> None:
    here = f"{one.app} in {one.environment}"
    if one.detail:
        printing.echo(f"{here} has drifted: {one.detail}", "bad")
    else:
        printing.echo(f"{here}: nobody can tell: {one.unknown}", "warning")


def _json(one: Look) -> dict[str, Any]:
    return {
        "app": one.app,
        "environment": one.environment,
        "deployment": one.deployment,
        "drift": {"detail": one.detail} if one.detail else None,
        "unknown": one.unknown or None,
    }
