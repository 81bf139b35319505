"""How does every manifest begin?"""

from typing import Literal

from pydantic import Field

from reconciler.model.shape import Labels, Name, shape

ApiVersion = Literal["reconciler/v1"]
API_VERSION: ApiVersion = "reconciler/v1"


@shape
class Metadata:
    """A manifest's name and the labels that seasons and filters select by."""

    name: Name
    """Letters, digits, `.`, `_` and `-`; one kind has a name once."""
    labels: Labels = Field(default_factory=dict)
    """Seasons and filters select by them."""
