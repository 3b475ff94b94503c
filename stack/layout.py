"""Where things are: in the project, and in the data folder of one stack."""

import os
from dataclasses import dataclass
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent
DATA_DIR_DEFAULT = Path(".blytz")


def python_path() -> str:
    """Return the PYTHONPATH with which a child finds the services and the stubs from anywhere."""
    folders = [PROJECT_ROOT, PROJECT_ROOT / "gen" / "python", PROJECT_ROOT / "clients" / "python"]
    inherited = os.environ.get("PYTHONPATH", "")
    return os.pathsep.join([*map(str, folders), *([inherited] if inherited else [])])


@dataclass(frozen=True)
class Layout:
    """The data folder: everything that one stack keeps and writes."""

    root: Path

    @property
    def logs(self) -> Path:
        """One log file a part."""
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """What only matters while the stack runs: state, lock, rendered configuration."""
        return self.root / "run"

    @property
    def tls(self) -> Path:
        """The local certificate authority and a folder a workload."""
        return self.root / "tls"

    @property
    def keys(self) -> Path:
        """The keys that sign access tokens."""
        return self.root / "keys"

    @property
    def postgres(self) -> Path:
        """Postgres's cluster."""
        return self.root / "postgres"

    @property
    def stripe(self) -> Path:
        """What the stand-in of Stripe remembers."""
        return self.root / "stripe"

    @property
    def state_path(self) -> Path:
        """The state of the running stack, as JSON."""
        return self.run / "state.json"

    @property
    def lock_path(self) -> Path:
        """Held by the supervisor for as long as it lives."""
        return self.run / "lock"

    @property
    def secret_path(self) -> Path:
        """The secret from which passwords derive."""
        return self.root / "secret"

    @classmethod
    def at(cls, data_dir: Path) -> "Layout":
        """Return the layout of a data folder that need not exist yet."""
        return cls(root=data_dir.expanduser().resolve())

    def create(self) -> None:
        """Make the folders; all but Postgres's way in are closed to other users."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o711)
        for folder in (self.logs, self.run, self.tls, self.keys, self.stripe):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o700)
