"""The contract's RPCs: from messages to use cases and back."""

from collections.abc import Awaitable, Callable, Mapping

import structlog
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.empty_pb2 import Empty
from prometheus_client import Counter

from blytz.identity.v1.auth_service_pb2 import (
    LoginRequest,
    LoginResponse,
    RefreshTokenRequest,
    RefreshTokenResponse,
    RegisterRequest,
    RegisterResponse,
)
from blytz.identity.v1.user_service_pb2 import (
    ApplyAsSellerRequest,
    ApplyAsSellerResponse,
    GetMeRequest,
    GetMeResponse,
)
from servicekit.call import Call
from servicekit.errors import FieldViolation, InvalidRequest
from svc_identity.application.apply_as_seller import ApplyAsSeller, ApplyAsSellerCommand
from svc_identity.application.get_me import GetMe
from svc_identity.application.log_in import LogIn, LogInCommand
from svc_identity.application.refresh_session import RefreshSession, RefreshSessionCommand
from svc_identity.application.register import Register, RegisterCommand
from svc_identity.domain.errors import NameInvalid, RefreshTokenReused
from svc_identity.infrastructure.proto_mapping import session_message, user_message

REFRESH_TOKENS_REUSED = Counter(
    "blytz_identity_refresh_tokens_reused", "Sign-ins that ended because a token came back."
)

log = structlog.get_logger(__name__)


class AuthGrpcService:
    """AuthService. ``trusted_proxy_count`` is how many proxies of ours a call passes before us."""

    def __init__(
        self,
        *,
        register: Register,
        log_in: LogIn,
        refresh_session: RefreshSession,
        jwks: Callable[[], Awaitable[bytes]],
        trusted_proxy_count: int,
    ) -> None:
        self._register = register
        self._log_in = log_in
        self._refresh_session = refresh_session
        self._jwks = jwks
        self._trusted_proxy_count = trusted_proxy_count

    async def Register(self, request: RegisterRequest, _call: Call) -> RegisterResponse:
        """Create an account."""
        command = RegisterCommand(
            email=request.email, password=request.password, display_name=request.display_name
        )
        try:
            session = await self._register(command)
        except NameInvalid as error:
            raise _invalid_request(error) from error
        return RegisterResponse(session=session_message(session))

    async def Login(self, request: LoginRequest, call: Call) -> LoginResponse:
        """Sign in."""
        session = await self._log_in(
            LogInCommand(
                email=request.email,
                password=request.password,
                address=client_address(call.metadata, self._trusted_proxy_count),
            )
        )
        return LoginResponse(session=session_message(session))

    async def RefreshToken(self, request: RefreshTokenRequest, _call: Call) -> RefreshTokenResponse:
        """Stay signed in."""
        try:
            session = await self._refresh_session(RefreshSessionCommand(request.refresh_token))
        except RefreshTokenReused:
            REFRESH_TOKENS_REUSED.inc()
            log.warning("refresh_token_reused")
            raise
        return RefreshTokenResponse(session=session_message(session))

    async def GetJwks(self, _request: Empty, _call: Call) -> HttpBody:
        """Publish the keys."""
        return HttpBody(content_type="application/json", data=await self._jwks())


class UserGrpcService:
    """UserService."""

    def __init__(self, *, get_me: GetMe, apply_as_seller: ApplyAsSeller) -> None:
        self._get_me = get_me
        self._apply_as_seller = apply_as_seller

    async def GetMe(self, _request: GetMeRequest, call: Call) -> GetMeResponse:
        """Return the caller's account."""
        person = await self._get_me(call.require_person().user_id)
        return GetMeResponse(user=user_message(person))

    async def ApplyAsSeller(
        self, request: ApplyAsSellerRequest, call: Call
    ) -> ApplyAsSellerResponse:
        """Let the caller sell."""
        command = ApplyAsSellerCommand(
            user_id=call.require_person().user_id, shop_name=request.shop_name
        )
        try:
            person = await self._apply_as_seller(command)
        except NameInvalid as error:
            raise _invalid_request(error) from error
        return ApplyAsSellerResponse(user=user_message(person))


def client_address(metadata: Mapping[str, str], trusted_proxy_count: int) -> str:
    """Return the address that our outermost proxy saw, or nothing.

    Each proxy appends the address of whoever called it to ``x-forwarded-for``; what stands further
    to the left was written by the client and proves nothing.
    """
    addresses = metadata.get("x-forwarded-for", "").split(",")
    if not 0 < trusted_proxy_count <= len(addresses):
        return ""
    return addresses[-trusted_proxy_count].strip()


def _invalid_request(error: NameInvalid) -> InvalidRequest:
    return InvalidRequest([FieldViolation(error.field, "visible_text", error.message)])
