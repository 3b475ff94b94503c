"""The whole service over mTLS: as the gateway calls it, and as others must not."""

import json
import time

import grpc
import jwt
import psycopg
import pytest
from google.protobuf.empty_pb2 import Empty

from blytz.events.v1.event_pb2 import Event
from blytz.identity.v1.auth_service_pb2 import (
    LoginRequest,
    RefreshTokenRequest,
    RegisterRequest,
    Session,
)
from blytz.identity.v1.auth_service_pb2_grpc import AuthServiceStub
from blytz.identity.v1.user_service_pb2 import ROLE_SELLER, ApplyAsSellerRequest, GetMeRequest
from blytz.identity.v1.user_service_pb2_grpc import UserServiceStub
from fakes.identity_calls import NAME, PASSWORD, bearer, new_email
from fakes.identity_process import (
    IdentityProcess,
    refusal_of,
)


def test_from_register_to_seller(
    identity: IdentityProcess, auth: AuthServiceStub, users: UserServiceStub, session: Session
) -> None:
    token = bearer(session.access_token)
    me = users.GetMe(GetMeRequest(), metadata=token).user
    assert me == session.user
    assert (me.display_name, list(me.roles)) == (NAME, [])
    assert session.access_token_expires_at.seconds - time.time() == pytest.approx(900, abs=10)

    for shop_name in ("Second Hand Watches", "Another"):
        request = ApplyAsSellerRequest(shop_name=shop_name)
        assert users.ApplyAsSeller(request, metadata=token).user.roles == [ROLE_SELLER]
    refresh = RefreshTokenRequest(refresh_token=session.refresh_token)
    next_session = auth.RefreshToken(refresh).session
    claims = jwt.decode(next_session.access_token, options={"verify_signature": False})
    assert claims["roles"] == ["SELLER"]
    assert claims["sub"] == me.user_id
    signed_in = auth.Login(LoginRequest(email=me.email.upper(), password=PASSWORD)).session
    assert signed_in.user.roles == [ROLE_SELLER]

    events = stored_events(identity, me.user_id)
    assert [(event.type, event.sequence) for event in events] == [
        ("user.join", 1),
        ("seller.approved", 2),
    ]
    assert events[1].seller_approved.shop_name == "Second Hand Watches"


def test_events_reach_kafka(identity: IdentityProcess, session: Session) -> None:
    deadline_s = time.monotonic() + 20
    with psycopg.connect(identity.environ["BLYTZ_POSTGRES_URL"], autocommit=True) as connection:
        while not connection.execute(
            "select 1 from outbox where partition_key = %s and kafka_offset is not null",
            [session.user.user_id],
        ).fetchall():
            assert time.monotonic() < deadline_s
            time.sleep(0.05)


def stored_events(identity: IdentityProcess, user_id: str) -> list[Event]:
    with psycopg.connect(identity.environ["BLYTZ_POSTGRES_URL"]) as connection:
        rows = connection.execute(
            "select payload from outbox where partition_key = %s order by id", [user_id]
        ).fetchall()
    return [Event.FromString(payload) for (payload,) in rows]


def test_an_address_is_taken_in_any_case(auth: AuthServiceStub, session: Session) -> None:
    request = RegisterRequest(
        email=session.user.email.upper(), password=PASSWORD, display_name="Eve"
    )
    refusal = refusal_of(auth.Register, request)
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.ALREADY_EXISTS, "EMAIL_TAKEN")


@pytest.mark.parametrize(
    ("request_fields", "field"),
    [
        ({"email": "no address"}, "email"),
        ({"password": "short"}, "password"),
        ({"display_name": ""}, "display_name"),
        ({"display_name": "a\nb"}, "display_name"),
        ({"display_name": "\u200b\u3164"}, "display_name"),
    ],
)
def test_a_bad_field_is_named(
    auth: AuthServiceStub, request_fields: dict[str, str], field: str
) -> None:
    right = {"email": new_email(), "password": PASSWORD, "display_name": NAME}
    refusal = refusal_of(auth.Register, RegisterRequest(**{**right, **request_fields}))
    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_REQUEST",
    )
    assert set(refusal.fields) == {field}


def test_the_key_set_verifies_what_was_issued(auth: AuthServiceStub, session: Session) -> None:
    response = auth.GetJwks(Empty())
    assert response.content_type == "application/json"
    keys = {key["kid"]: jwt.PyJWK(key) for key in json.loads(response.data)["keys"]}
    key_id = jwt.get_unverified_header(session.access_token)["kid"]
    claims = jwt.decode(
        session.access_token,
        keys[key_id],
        algorithms=["ES256"],
        audience="blytz",
        issuer="https://blytz.live",
    )
    assert claims["sub"] == session.user.user_id
