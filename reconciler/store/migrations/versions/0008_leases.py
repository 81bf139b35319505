"""How long a daemon is waited for is its own word."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Daemons say their lease; of those that live on with an older version nobody knows it."""
    with op.batch_alter_table("daemons") as daemons:
        daemons.add_column(sa.Column("lease", sa.Float))
