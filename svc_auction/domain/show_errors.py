"""Why a show refuses; each reason stands in the contract."""

from kernel.errors import BlytzError, ErrorKind


class ShowNotFound(BlytzError):
    """There is no such show."""

    kind = ErrorKind.NOT_FOUND
    reason = "SHOW_NOT_FOUND"


class ShowStateInvalid(BlytzError):
    """The show is {state}: this cannot be done with it."""

    kind = ErrorKind.PRECONDITION
    reason = "SHOW_STATE_INVALID"
    public_facts = frozenset({"state"})


class LotOpen(BlytzError):
    """Another lot of the show is up: close it first."""

    kind = ErrorKind.PRECONDITION
    reason = "LOT_OPEN"
    public_facts = frozenset({"auction_id"})


class NoLotOpen(BlytzError):
    """No lot of the show is up."""

    kind = ErrorKind.PRECONDITION
    reason = "NO_LOT_OPEN"


class NoLotQueued(BlytzError):
    """No lot waits to be opened: add one first."""

    kind = ErrorKind.PRECONDITION
    reason = "NO_LOT_QUEUED"


class LotOrderInvalid(BlytzError):
    """The new order does not name exactly the lots that wait, each of them once."""

    kind = ErrorKind.INVALID
    reason = "LOT_ORDER_INVALID"


class ShowFull(BlytzError):
    """A show has {lots_max} lots at the most."""

    kind = ErrorKind.PRECONDITION
    reason = "SHOW_FULL"
