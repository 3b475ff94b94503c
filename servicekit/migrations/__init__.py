"""Alembic migrations: one history a service, run as a job before the service starts."""

from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config

_ENVIRONMENT = Path(__file__).parent


def upgrade(url: str, package: str) -> None:
    """Bring the database at ``url`` to the newest version in ``<package>/versions``.

    Two jobs at once are safe: an advisory lock makes the second wait and find nothing to do.
    """
    config = Config()
    config.set_main_option("script_location", str(_ENVIRONMENT))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(files(package).joinpath("versions")))
    config.attributes["url"] = url
    command.upgrade(config, "head")
