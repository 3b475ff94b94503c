"""What can go wrong with accounts and sign-ins."""

from kernel.errors import BlytzError, ErrorKind


class EmailTaken(BlytzError):
    """An account with this e-mail address exists."""

    kind = ErrorKind.ALREADY_EXISTS
    reason = "EMAIL_TAKEN"


class CredentialsInvalid(BlytzError):
    """The e-mail address or the password is wrong."""

    kind = ErrorKind.UNAUTHENTICATED
    reason = "CREDENTIALS_INVALID"


class RefreshTokenInvalid(BlytzError):
    """The refresh token is unknown, expired or revoked: sign in again."""

    kind = ErrorKind.UNAUTHENTICATED
    reason = "REFRESH_TOKEN_INVALID"


class RefreshTokenReused(BlytzError):
    """The refresh token was used before: every token of that sign-in is revoked now."""

    kind = ErrorKind.UNAUTHENTICATED
    reason = "REFRESH_TOKEN_REUSED"


class UserNotFound(BlytzError):
    """The account no longer exists."""

    kind = ErrorKind.NOT_FOUND
    reason = "USER_NOT_FOUND"


class AccountsIdentical(BlytzError):
    """An account cannot be linked to itself."""

    kind = ErrorKind.INVALID
    reason = "INVALID_REQUEST"


class TooManyAttempts(BlytzError):
    """Too many attempts to sign in: wait before the next one."""

    kind = ErrorKind.EXHAUSTED
    reason = "RATE_LIMITED"


class NameInvalid(BlytzError):
    """The {field} has no visible character, or more than {length_max}."""

    kind = ErrorKind.INVALID
    reason = "INVALID_REQUEST"
    public_facts = frozenset({"field", "length_max"})

    field: str
    length_max: int
