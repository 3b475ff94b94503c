"""The one base of all errors that a caller may see, and those that every area raises."""

from collections.abc import Mapping
from enum import Enum
from inspect import cleandoc
from typing import ClassVar


class ErrorKind(Enum):
    """What a caller can do about an error, whatever carries it over the wire."""

    INVALID = "the request itself is wrong"
    UNAUTHENTICATED = "nobody is signed in, or not validly"
    FORBIDDEN = "the caller may not do this"
    NOT_FOUND = "there is no such thing, or not for this caller"
    ALREADY_EXISTS = "it is there already"
    PRECONDITION = "the state of things does not allow it now"
    ABORTED = "another change came between; read again and retry"
    EXHAUSTED = "too much or too fast; come back later"
    UNAVAILABLE = "a part is away for the moment; retry"
    TIMED_OUT = "the time is over; the outcome is unknown"
    UNIMPLEMENTED = "no such method"
    INTERNAL = "a fault of ours"


class BlytzError(Exception):
    """Something went wrong.

    A concrete error sets ``kind`` and ``reason`` (the contract's ``ErrorReason`` without prefix),
    and its docstring is the message: a format string over the keyword facts of the constructor,
    which become attributes. Facts named in ``public_facts`` travel to the caller as metadata.
    """

    kind: ClassVar[ErrorKind] = ErrorKind.INTERNAL
    reason: ClassVar[str] = "INTERNAL"
    public_facts: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, *, retry_after_s: float | None = None, **facts: object) -> None:
        self.facts = facts
        self.retry_after_s = retry_after_s
        self.__dict__.update(facts)
        super().__init__(cleandoc(type(self).__doc__ or "").format_map(facts))

    @property
    def message(self) -> str:
        """The message for the caller, one sentence."""
        return str(self.args[0])

    @property
    def metadata(self) -> Mapping[str, str]:
        """The facts that may leave, as text."""
        return {name: str(self.facts[name]) for name in self.public_facts if name in self.facts}


class RequestIdReused(BlytzError):
    """The request_id was used before with another body."""

    kind = ErrorKind.INVALID
    reason = "REQUEST_ID_REUSED"


class Overloaded(BlytzError):
    """The service is busy: come back in a moment."""

    kind = ErrorKind.EXHAUSTED
    reason = "OVERLOADED"


class DependencyUnavailable(BlytzError):
    """A part that this call needs is away for the moment: {dependency}."""

    kind = ErrorKind.UNAVAILABLE
    reason = "DEPENDENCY_UNAVAILABLE"
    public_facts = frozenset({"dependency"})


class PageTokenInvalid(BlytzError):
    """The page token was not issued by this list."""

    kind = ErrorKind.INVALID
    reason = "PAGE_TOKEN_INVALID"
