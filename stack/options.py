"""What a person may choose about a stack: by option or by environment variable."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from stack.layout import DATA_DIR_DEFAULT, PROJECT_ROOT, Layout
from stack.ports import LOOPBACK

EDGE_PORT_DEFAULT = 8080
_PAGE_FOLDER = PROJECT_ROOT / "edge" / "web" / "dist"


@dataclass(frozen=True, kw_only=True)
class Options:
    """The choices. An empty URL means the embedded part; port 0 means a free one.

    `workers` is the number of processes of each of the services that carry the load.
    """

    layout: Layout
    edge_host: str = LOOPBACK
    edge_port: int = EDGE_PORT_DEFAULT
    workers: int = 1
    postgres_url: str = ""
    kafka_bootstrap: str = ""
    redis_url: str = ""
    stripe_api_key: str = ""
    stripe_api_base: str = ""
    stripe_webhook_secret: str = ""
    page_folder: Path = _PAGE_FOLDER

    @classmethod
    def from_environment(
        cls,
        environment: Mapping[str, str],
        *,
        data_dir: Path,
        edge_host: str = LOOPBACK,
        edge_port: int = EDGE_PORT_DEFAULT,
        workers: int = 1,
    ) -> Self:
        """Take the addresses of parts that run elsewhere from `BLYTZ_…` variables."""
        return cls(
            layout=Layout.at(data_dir),
            edge_host=edge_host,
            edge_port=edge_port,
            workers=workers,
            postgres_url=environment.get("BLYTZ_POSTGRES_URL", ""),
            kafka_bootstrap=environment.get("BLYTZ_KAFKA_BOOTSTRAP", ""),
            redis_url=environment.get("BLYTZ_REDIS_URL", ""),
            stripe_api_key=environment.get("BLYTZ_STRIPE_API_KEY", ""),
            stripe_api_base=environment.get("BLYTZ_STRIPE_API_BASE", ""),
            stripe_webhook_secret=environment.get("BLYTZ_STRIPE_WEBHOOK_SECRET", ""),
            page_folder=Path(environment.get("BLYTZ_PAGE_DIR", "") or _PAGE_FOLDER).resolve(),
        )


def data_dir_of(option: Path | None) -> Path:
    """Return the data folder: the option, else `BLYTZ_DATA_DIR`, else `.blytz` here."""
    return option or Path(os.environ.get("BLYTZ_DATA_DIR", "") or DATA_DIR_DEFAULT)
