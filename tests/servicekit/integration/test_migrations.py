import threading
from pathlib import Path

import psycopg
import pytest

from servicekit.migrations import upgrade
from stack.parts.postgres import Postgres

FIRST = '''
"""Things."""
from alembic import op
revision = "0001"
down_revision = None
def upgrade():
    op.execute("create table things (id int primary key)")
    op.execute("select pg_sleep(0.2)")
'''
SECOND = '''
"""More things."""
from alembic import op
revision = "0002"
down_revision = "0001"
def upgrade():
    op.execute("insert into things values (1)")
'''
BROKEN = '''
"""Half of it."""
from alembic import op
revision = "0003"
down_revision = "0002"
def upgrade():
    op.execute("insert into things values (2)")
    op.execute("insert into nothing values (3)")
'''


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package of a history of its own."""
    name = tmp_path.name.replace("-", "_")
    versions = tmp_path / name / "versions"
    versions.mkdir(parents=True)
    (tmp_path / name / "__init__.py").touch()
    (versions / "0001_things.py").write_text(FIRST)
    monkeypatch.syspath_prepend(tmp_path)
    return name


def write(tmp_path: Path, package: str, name: str, text: str) -> None:
    (tmp_path / package / "versions" / name).write_text(text)


def things(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("select id from things order by id")]


@pytest.fixture
def url(postgres_server: Postgres) -> str:
    return postgres_server.create_database("migrations")


def test_a_history_is_carried_on_from_where_it_stands(
    url: str, package: str, tmp_path: Path
) -> None:
    upgrade(url, package)
    assert things(url) == []
    write(tmp_path, package, "0002_more.py", SECOND)
    upgrade(url, package)
    upgrade(url, package)
    assert things(url) == [1]


def test_two_jobs_at_once_migrate_once(url: str, package: str, tmp_path: Path) -> None:
    write(tmp_path, package, "0002_more.py", SECOND)
    faults: list[BaseException] = []

    def migrate() -> None:
        try:
            upgrade(url, package)
        except BaseException as fault:  # noqa: BLE001 - looked at below
            faults.append(fault)

    # Alembic keeps its context in a module: each job is a process in life, a turn here.
    with psycopg.connect(url) as holder:
        holder.execute("select pg_advisory_lock(50810001)")
        job = threading.Thread(target=migrate)
        job.start()
        job.join(0.3)
        assert job.is_alive(), "it waits for the one that migrates"
    job.join(10)
    assert not job.is_alive()
    assert faults == []
    assert things(url) == [1]


def test_a_broken_migration_leaves_nothing_of_itself(
    url: str, package: str, tmp_path: Path
) -> None:
    write(tmp_path, package, "0002_more.py", SECOND)
    write(tmp_path, package, "0003_broken.py", BROKEN)
    with pytest.raises(Exception, match="nothing"):
        upgrade(url, package)
    assert things(url) == [1]
    with psycopg.connect(url) as connection:
        row = connection.execute("select version_num from alembic_version").fetchone()
    assert row == ("0002",)


@pytest.mark.parametrize("service", ["svc_auction", "svc_payment", "svc_identity"])
def test_every_history_of_ours_runs_twice(url: str, service: str) -> None:
    package = f"{service}.infrastructure.migrations"
    upgrade(url, package)
    upgrade(url, package)
