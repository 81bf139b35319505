"""What does a command learn about the release that it is run for?

Environment variables, the same for deployments and for checks. Secrets go under their own names; how they
become values is in `secrets`, how the command is run in `process`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.errors import PersonNeeded
from reconciler.model.release import Release, ReleasedVersion

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where commands are looked up unless PATH is passed on."""
PREFIX = "RECONCILER_"
_SECRETIVE = re.compile(r"TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|_KEY$|^KEY", re.IGNORECASE)


def of_release(release: Release, bundle: str, part: ReleasedVersion | None = None) -> dict[str, str]:
    """The variables of a release of which one version, the leading one unless `part` is given, lies unpacked in the
    directory `bundle`.

    What there is not (the name of an unnamed version, every VERSION of a retired app) is an empty text.
    """
    part = part or release.leading
    return {
        "RECONCILER_APP": release.app,
        "RECONCILER_ENVIRONMENT": release.environment,
        "RECONCILER_DEPLOYMENT": release.deployment,
        "RECONCILER_DEPLOYMENT_NUMBER": str(release.number),
        "RECONCILER_FENCE": str(release.fence),
        "RECONCILER_LINEAGE": release.lineage,
        "RECONCILER_VERSION": part.version if part else "",
        "RECONCILER_VERSION_NUMBER": str(part.number) if part else "",
        "RECONCILER_VERSION_NAME": (part.name or "") if part else "",
        "RECONCILER_TRAFFIC": as_json([_share(one) for one in release.traffic]),
        "RECONCILER_CONFIG": as_json(part.config if part else {}),
        "RECONCILER_BINDINGS": as_json(_bindings(part)),
        "RECONCILER_BUNDLE": bundle,
        "RECONCILER_CAUSE": release.cause,
        "RECONCILER_COMMIT": release.commit or "",
    }


def surroundings(
    about: Mapping[str, str],
    passed_on: Iterable[str],
    secrets: Mapping[str, str],
    environ: Mapping[str, str],
) -> dict[str, str]:
    """Everything a command finds in its environment, and nothing else of the daemon's: `about` (what it is
    run for), PATH, the names passed on as far as they are set, and the secrets.

    Raises PersonNeeded when a secret would take the place of another variable.
    """
    given = {"PATH": PATH, **{name: environ[name] for name in passed_on if name in environ}, **about}
    taken = sorted(name for name in secrets if name in given or name.startswith(PREFIX))
    if taken:
        raise PersonNeeded(
            f"the secret {', '.join(taken)} has the name of a variable that the command gets anyway",
            "give the secret another name in the manifest",
        )
    return {**given, **secrets}


def to_blank(passed_on: Iterable[str], secrets: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """What the output must not show: secrets, and what is passed on under a name such as DEPLOY_TOKEN."""
    secretive = {name: environ[name] for name in passed_on if name in environ and _SECRETIVE.search(name)}
    return {**{name: value for name, value in secretive.items() if len(value) >= 8}, **secrets}


def as_json(value: Any) -> str:
    """JSON in ASCII, since nobody knows how the command decodes its variables. Raises PersonNeeded."""
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as wrong:
        raise PersonNeeded(f"the configuration is no JSON: {wrong}", "correct it in the manifest") from wrong


def _share(part: ReleasedVersion) -> dict[str, Any]:
    return {
        "version": part.version,
        "number": part.number,
        "name": part.name,
        "percent": part.percent,
        "image": part.image,
        "tags": list(part.tags),
        "created_at": part.created_at,
    }


def _bindings(part: ReleasedVersion | None) -> list[dict[str, str]]:
    bindings = part.bindings if part else ()
    return [{"name": one.name, "type": one.type, "resource": one.resource} for one in bindings]
