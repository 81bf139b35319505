"""Starts of deployments made elsewhere that wait for people."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from reconciler.store.types import Json, Moment

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "starts",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("app", sa.String(200), nullable=False),
        sa.Column("environment", sa.String(200), nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("people", Json, nullable=False),
        sa.Column("since", Moment, nullable=False),
        sa.Column("asked_at", Moment, nullable=False),
        sa.Column("over", sa.Text, nullable=False),
    )
    wanted: dict[str, Any] = {f"{op.get_context().dialect.name}_where": sa.text("over = ''")}
    op.create_index("starts_wanted", "starts", ["app", "environment"], **wanted)
    op.create_index("starts_app", "starts", ["app"])
