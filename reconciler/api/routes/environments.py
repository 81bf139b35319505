"""Where do apps run?"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request, Response
from sqlalchemy import Connection

from reconciler.api import asked, examples
from reconciler.api.answers import tagged
from reconciler.api.context import Context, context
from reconciler.api.routes.reading import answers
from reconciler.api.routes.reading import router as reading
from reconciler.api.shapes import ENVIRONMENT_SHOWN, EnvironmentShown
from reconciler.errors import UnknownReference
from reconciler.store import declared
from reconciler.views.scene import Scene, scene_of
from reconciler.words import instead

router = reading("environments")


@router.get("/environments", summary="List environments", **answers(EnvironmentShown, [examples.ENVIRONMENT]))
def listed(request: Request, given: Annotated[Context, Depends(context)]) -> Response:
    """The environments that git declares, along the chain."""

    def found(connection: Connection) -> list[dict[str, Any]]:
        scene, counts = scene_of(connection), declared.placed_in(connection)
        names = sorted(scene.environments, key=lambda name: (scene.depth(name), name))
        return [_shown(scene, name, counts) for name in names]

    return tagged(request, given, found)


@router.get("/environments/{name}", summary="Show an environment", **answers(EnvironmentShown, examples.ENVIRONMENT))
def shown(request: Request, given: Annotated[Context, Depends(context)], name: asked.EnvironmentName) -> Response:
    """One environment."""

    def found(connection: Connection) -> dict[str, Any]:
        scene = scene_of(connection)
        if name not in scene.environments:
            raise UnknownReference(f"git declares no environment {name[:100]}", instead(name, scene.environments))
        return _shown(scene, name, declared.placed_in(connection))

    return tagged(request, given, found)


def _shown(scene: Scene, name: str, counts: dict[str, int]) -> dict[str, Any]:
    environment = scene.environments[name]
    spec = environment.spec
    made = EnvironmentShown(
        name=name,
        labels=environment.metadata.labels,
        track=spec.track,
        target=spec.target.get("type", "directory"),
        when=spec.when,
        gates=spec.gates,
        rollout=spec.rollout,
        on_failure=spec.on_failure,
        concurrency=spec.concurrency,
        prune=spec.prune,
        apps=counts.get(name, 0),
    )
    dumped: dict[str, Any] = ENVIRONMENT_SHOWN.dump_python(made, mode="json")
    return dumped
