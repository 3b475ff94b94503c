"""Finds the programs that wheels carry."""

import importlib.util
from pathlib import Path

from stack.part import PartFailed


def wheel_file(package: str, *path: str) -> Path:
    """Return a file of an installed package, found without importing it.

    An import may create folders and warn. Raises PartFailed when the package is missing.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise PartFailed(f"The package {package} is not installed.")
    return Path(spec.submodule_search_locations[0]).joinpath(*path)
