"""Runs migrations on the connection that `colpo_core.store.schema` hands over."""

from alembic import context

from colpo_core.store.tables import Base


def run() -> None:
    """Migrate inside the transaction that the caller commits."""
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
