"""Indexes for very many apps and deployments: no question reads more rows than it answers with."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def _where(condition: str) -> dict[str, Any]:
    """What makes an index partial, in the database that is there."""
    return {f"{op.get_context().dialect.name}_where": sa.text(condition)}


def upgrade() -> None:
    """Add them; what is due is in order of name too."""
    op.drop_index("apps_due", "apps")
    op.create_index("apps_due", "apps", ["due_at", "name"])
    op.create_index("apps_held", "apps", ["name"], **_where("complaints IS NOT NULL"))
    op.create_index("files_broken", "files", ["path"], **_where("complaints IS NOT NULL"))
    turn = ["environment", "cause", "status", "sequence"]
    op.create_index("deployments_turn", "deployments", turn, **_where("status = 'pending'"))
    op.create_index("deployments_created", "deployments", ["created_at", "sequence"])
    op.create_index("deployments_cause", "deployments", ["cause", "sequence"], **_where("cause <> 'release'"))
