"""Alembic's entry point: runs the migrations of the database in ``config.attributes["url"]``."""

from alembic import context
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

_MIGRATION_LOCK = 5081_0001

engine = create_engine(
    make_url(context.config.attributes["url"]).set(drivername="postgresql+psycopg"),
    poolclass=NullPool,
)
with engine.connect() as connection:
    # Freed with the connection, after the commit.
    connection.execute(text("select pg_advisory_lock(:key)"), {"key": _MIGRATION_LOCK})
    connection.commit()
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
