"""What leaves: notices, messages and how they fared; scheduled changes that were announced; what stands in the way."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from reconciler.store.tables.schema import Serial
from reconciler.store.types import Json, Moment

revision = "0006"
down_revision = "0005"


def _where(condition: str) -> dict[str, Any]:
    return {f"{op.get_context().dialect.name}_where": sa.text(condition)}


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "notified",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("clock", Moment, nullable=False),
        sa.Column("lineage", sa.String(40), nullable=False),
    )
    op.create_table(
        "notices",
        sa.Column("sequence", Serial, primary_key=True),
        sa.Column("alert", sa.String(200), nullable=False),
        sa.Column("fact", sa.String(200), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("event", sa.String(40), nullable=False),
        sa.Column("app", sa.String(200), nullable=False),
        sa.Column("environment", sa.String(200), nullable=False),
        sa.Column("said", Json, nullable=False),
        sa.Column("message", sa.String(32)),
        sa.UniqueConstraint("alert", "fact", name="notices_fact"),
    )
    op.create_index("notices_gathered", "notices", ["alert", "sequence"], **_where("message IS NULL"))
    op.create_index("notices_message", "notices", ["message"])
    op.create_index("notices_at", "notices", ["at"])
    _messages()
    _kept()


def _messages() -> None:
    op.create_table(
        "messages",
        sa.Column("sequence", Serial, primary_key=True),
        sa.Column("id", sa.String(32), nullable=False, unique=True),
        sa.Column("channel", sa.String(10), nullable=False),
        sa.Column("alert", sa.String(200), nullable=False),
        sa.Column("stream", sa.String(300), nullable=False),
        sa.Column("to", sa.Text, nullable=False),
        sa.Column("content", Json, nullable=False),
        sa.Column("notices", sa.Integer, nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("uncertain", sa.Boolean, nullable=False),
        sa.Column("made_at", Moment, nullable=False),
        sa.Column("next_at", Moment, nullable=False),
        sa.Column("ended_at", Moment),
        sa.Column("error", sa.Text),
    )
    op.create_index("messages_open", "messages", ["next_at", "sequence"], **_where("status IN ('waiting', 'sending')"))
    op.create_index("messages_made", "messages", ["made_at"])
    op.create_index("messages_stream", "messages", ["stream"])
    op.create_table(
        "deliveries",
        sa.Column("sequence", Serial, primary_key=True),
        sa.Column("message", sa.String(32), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("ended_at", Moment),
        sa.Column("outcome", sa.String(10), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
    )
    op.create_index("deliveries_message", "deliveries", ["message"])
    op.create_index("deliveries_at", "deliveries", ["at"])


def _kept() -> None:
    op.create_table(
        "announced",
        sa.Column("alert", sa.String(200), primary_key=True),
        sa.Column("edge", sa.String(32), primary_key=True),
        sa.Column("cause", sa.String(20), nullable=False),
        sa.Column("app", sa.String(200), nullable=False),
        sa.Column("environment", sa.String(200), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
    )
    op.create_index("announced_at", "announced", ["at"])
    op.create_table(
        "forge_records",
        sa.Column("deployment", sa.String(40), primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "obstacles",
        sa.Column("app", sa.String(200), primary_key=True),
        sa.Column("environment", sa.String(200), primary_key=True),
        sa.Column("kind", sa.String(10), primary_key=True),
        sa.Column("mark", sa.String(200), primary_key=True),
        sa.Column("since", Moment, nullable=False),
        sqlite_with_rowid=False,
    )
