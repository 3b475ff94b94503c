"""What tests say to a running svc_identity."""

import secrets

from blytz.identity.v1.auth_service_pb2 import RegisterRequest, Session
from blytz.identity.v1.auth_service_pb2_grpc import AuthServiceStub

Metadata = tuple[tuple[str, str], ...]

PASSWORD = "correct horse battery staple"
NAME = "Ada of the test"


def new_email() -> str:
    return f"ada.{secrets.token_hex(6)}@example.com"


def registered(auth: AuthServiceStub, email: str = "") -> Session:
    request = RegisterRequest(email=email or new_email(), password=PASSWORD, display_name=NAME)
    return auth.Register(request, timeout=10).session


def bearer(token: str) -> Metadata:
    return (("authorization", f"Bearer {token}"),)


def forwarded_for(addresses: str) -> Metadata:
    return (("x-forwarded-for", addresses),)
