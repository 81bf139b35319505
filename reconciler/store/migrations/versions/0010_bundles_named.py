"""Which directories hold content is told by declarations: an app that is declared twice names two of them."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Declarations say which bundle they name; those of the apps in force are known."""
    with op.batch_alter_table("declarations") as declarations:
        declarations.add_column(sa.Column("bundle", sa.Text))
    op.execute(
        "UPDATE declarations SET bundle = (SELECT apps.bundle FROM apps WHERE apps.name = declarations.name"
        " AND apps.path = declarations.path AND NOT apps.removed) WHERE kind = 'App'"
    )
    op.create_index("declarations_bundle", "declarations", ["bundle"])
    op.drop_index("apps_bundle", "apps")
