"""Copies of a module with one thing wrong: a check that does not find it is worth nothing."""

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any


@contextmanager
def mutant(module: ModuleType, right: str, wrong: str) -> Iterator[Any]:
    """Yield a copy of the module in which the only ``right`` has become ``wrong``."""
    source = inspect.getsource(module)
    assert source.count(right) == 1, f"{right!r} is there {source.count(right)} times"
    copy = ModuleType(f"{module.__name__}_mutant")
    # Dataclasses look their module up by name.
    sys.modules[copy.__name__] = copy
    try:
        exec(compile(source.replace(right, wrong), copy.__name__, "exec"), vars(copy))  # noqa: S102
        yield copy
    finally:
        del sys.modules[copy.__name__]
