"""Modules with one thing wrong: a check that does not find it is worth nothing."""

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FunctionType, ModuleType


@contextmanager
def planted(module: ModuleType, right: str, wrong: str) -> Iterator[None]:
    """Run the module with its only ``right`` turned into ``wrong``, whoever has imported it.

    The functions stay the objects that they are and get the code of a changed copy; what the
    module only computes when it is imported stays as it is.
    """
    source = inspect.getsource(module)
    assert source.count(right) == 1, f"{right!r} is there {source.count(right)} times"
    copy = ModuleType(f"{module.__name__}_mutant")
    # Dataclasses look their module up by name.
    sys.modules[copy.__name__] = copy
    try:
        changed_code = compile(source.replace(right, wrong), str(module.__file__), "exec")
        exec(changed_code, vars(copy))  # noqa: S102 - our own source
    finally:
        del sys.modules[copy.__name__]
    functions, changed = _functions(module), _functions(copy, str(module.__file__))
    codes = {name: function.__code__ for name, function in functions.items()}
    assert any(codes[name] != changed[name].__code__ for name in codes), "nothing has changed"
    try:
        for name, function in functions.items():
            function.__code__ = changed[name].__code__
        yield
    finally:
        for name, function in functions.items():
            function.__code__ = codes[name]


def _functions(module: ModuleType, file: str = "") -> dict[str, FunctionType]:
    """Return the functions and methods that are written in a module, by qualified name."""
    found = {}
    for member in vars(module).values():
        here = getattr(member, "__module__", "") == module.__name__
        for candidate in [member, *(vars(member).values() if here and _is_class(member) else ())]:
            bare = inspect.unwrap(getattr(candidate, "fget", None) or candidate)
            function = getattr(bare, "__func__", bare)
            if isinstance(function, FunctionType) and (
                function.__code__.co_filename == (file or module.__file__)
            ):
                found[function.__qualname__] = function
    return found


def _is_class(member: object) -> bool:
    return isinstance(member, type)
