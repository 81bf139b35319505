"""Why something runs, as it is shown: the links of the chain of one app in one environment."""

from typing import Any

from pydantic import TypeAdapter

from reconciler.model.output import Step
from reconciler.model.shape import shape


@shape
class Why:
    """The chain from the commit and the manifest's line to what runs, in order."""

    app: str
    environment: str
    steps: tuple[Step, ...]


WHY = TypeAdapter(Why)


def why_json(found: Why) -> dict[str, Any]:
    """The chain."""
    dumped: dict[str, Any] = WHY.dump_python(found, mode="json")
    return dumped
