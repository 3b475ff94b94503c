"""The whole service over mTLS: as the gateway calls it, and as others must not."""

import json
import secrets
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

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
from fakes.identity_process import (
    IdentityProcess,
    identity_environ,
    refusal_of,
    run_identity,
    running_identity,
)
from stack.parts.postgres import Postgres
from stack.ports import PortReservations

PASSWORD = "correct horse battery staple"
NAME = "Ada of the test"


@pytest.fixture(scope="module")
def identity(
    tmp_path_factory: pytest.TempPathFactory,
    postgres_server: Postgres,
    port_reservations: PortReservations,
    kafka_bootstrap: str,
) -> Iterator[IdentityProcess]:
    folder = tmp_path_factory.mktemp("identity")
    grpc_port, admin_port = port_reservations.take(), port_reservations.take()
    environ = identity_environ(
        folder,
        grpc_port=grpc_port,
        admin_port=admin_port,
        postgres_url=postgres_server.create_database("identity"),
        kafka_bootstrap=kafka_bootstrap,
    )
    migrated = run_identity(["migrate"], environ)
    assert migrated.returncode == 0, migrated.stdout + migrated.stderr
    with running_identity(
        folder, grpc_port=grpc_port, admin_port=admin_port, environ=environ
    ) as process:
        yield process


@pytest.fixture(scope="module")
def auth(identity: IdentityProcess) -> AuthServiceStub:
    return AuthServiceStub(identity.channel())


@pytest.fixture(scope="module")
def users(identity: IdentityProcess) -> UserServiceStub:
    return UserServiceStub(identity.channel())


@pytest.fixture
def session(auth: AuthServiceStub) -> Session:
    return registered(auth)


def new_email() -> str:
    return f"ada.{secrets.token_hex(6)}@example.com"


def registered(auth: AuthServiceStub, email: str = "") -> Session:
    request = RegisterRequest(email=email or new_email(), password=PASSWORD, display_name=NAME)
    return auth.Register(request, timeout=10).session


def bearer(token: str) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {token}")]


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


def test_calls_without_a_good_token_are_unauthenticated(
    identity: IdentityProcess, users: UserServiceStub, session: Session
) -> None:
    refusal = refusal_of(users.GetMe, GetMeRequest())
    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.UNAUTHENTICATED,
        "TOKEN_MISSING",
    )
    key_id = jwt.get_unverified_header(session.access_token)["kid"]
    header = {"typ": "at+jwt", "kid": key_id}
    claims = jwt.decode(session.access_token, options={"verify_signature": False})
    jwks = AuthServiceStub(identity.channel()).GetJwks(Empty()).data
    forged = [
        session.refresh_token,
        session.access_token[:-6] + "AAAAAA",
        jwt.encode(claims, "", algorithm="none", headers=header),
        jwt.encode(claims, jwks, algorithm="HS256", headers=header),
        "",
    ]
    for token in forged:
        refusal = refusal_of(users.GetMe, GetMeRequest(), metadata=bearer(token))
        assert (refusal.code, refusal.reason) == (
            grpc.StatusCode.UNAUTHENTICATED,
            "TOKEN_INVALID",
        )


def test_only_the_gateway_may_sign_people_in(identity: IdentityProcess) -> None:
    auction = AuthServiceStub(identity.channel("auction"))
    refusal = refusal_of(auction.Login, LoginRequest(email="a@example.com", password="x"))
    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "CALLER_NOT_ALLOWED",
    )
    assert auction.GetJwks(Empty()).data


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


def test_a_used_refresh_token_ends_its_sign_in(auth: AuthServiceStub, session: Session) -> None:
    first = RefreshTokenRequest(refresh_token=session.refresh_token)
    second = RefreshTokenRequest(refresh_token=auth.RefreshToken(first).session.refresh_token)
    third = RefreshTokenRequest(refresh_token=auth.RefreshToken(second).session.refresh_token)
    refusals = [refusal_of(auth.RefreshToken, request) for request in (first, second, third)]
    assert {refusal.code for refusal in refusals} == {grpc.StatusCode.UNAUTHENTICATED}
    assert [refusal.reason for refusal in refusals] == [
        "REFRESH_TOKEN_REUSED",
        "REFRESH_TOKEN_INVALID",
        "REFRESH_TOKEN_INVALID",
    ]


def test_unknown_address_and_wrong_password_cannot_be_told_apart(
    auth: AuthServiceStub, session: Session
) -> None:
    refusals, times_s = set(), {}
    for email in (session.user.email, new_email()):
        measured_s = []
        for _ in range(7):
            started_s = time.perf_counter()
            refusal = refusal_of(auth.Login, LoginRequest(email=email, password="wrong"))
            measured_s.append(time.perf_counter() - started_s)
            refusals.add((refusal.code, refusal.reason, refusal.message, refusal.retry_after_s))
        times_s[email] = statistics.median(measured_s)
    assert refusals == {
        (
            grpc.StatusCode.UNAUTHENTICATED,
            "CREDENTIALS_INVALID",
            "The e-mail address or the password is wrong.",
            None,
        )
    }
    known_s, unknown_s = times_s.values()
    assert 0.5 < known_s / unknown_s < 2


def test_odd_logins_are_merely_wrong(auth: AuthServiceStub) -> None:
    for email, password in (("\0", "\0"), ("\u0130@example.com", "\U0001f511"), ("' or 1=1", "--")):
        refusal = refusal_of(auth.Login, LoginRequest(email=email, password=password))
        assert refusal.reason == "CREDENTIALS_INVALID"


def test_guessers_are_slowed_down_wherever_they_claim_to_be(
    auth: AuthServiceStub, session: Session
) -> None:
    def guess(claimed_address: str, password: str = "wrong") -> str:
        address = f"{claimed_address}, 203.0.113.9"
        return refusal_of(
            auth.Login,
            LoginRequest(email=session.user.email, password=password),
            metadata=[("x-forwarded-for", address)],
        ).reason

    assert {guess(f"198.51.100.{n}") for n in range(10)} == {"CREDENTIALS_INVALID"}
    refusal = refusal_of(
        auth.Login,
        LoginRequest(email=session.user.email, password=PASSWORD),
        metadata=[("x-forwarded-for", "203.0.113.9")],
    )
    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "RATE_LIMITED",
    )
    assert 0 < (refusal.retry_after_s or 0) <= 30
    request = LoginRequest(email=session.user.email, password=PASSWORD)
    assert auth.Login(request, metadata=[("x-forwarded-for", "203.0.113.10")]).session


def test_keys_rotate_while_the_service_runs(
    identity: IdentityProcess, auth: AuthServiceStub, users: UserServiceStub, session: Session
) -> None:
    rotated = identity.run_role("rotate-keys")
    assert rotated.returncode == 0, rotated.stdout + rotated.stderr
    deadline_s = time.monotonic() + 15
    while len(json.loads(auth.GetJwks(Empty()).data)["keys"]) < 2:
        assert time.monotonic() < deadline_s
        time.sleep(0.1)
    later = registered(auth)
    for token in (session.access_token, later.access_token):
        assert users.GetMe(GetMeRequest(), metadata=bearer(token)).user.user_id


def test_production_without_a_key_says_what_is_missing(
    identity: IdentityProcess, tmp_path: Path
) -> None:
    environ = {
        **identity.environ,
        "BLYTZ_ENVIRONMENT": "production",
        "BLYTZ_SIGNING_KEY_DIR": str(tmp_path / "none"),
    }
    stopped = run_identity(["serve"], environ)
    output = stopped.stdout + stopped.stderr
    assert stopped.returncode != 0
    assert "BLYTZ_SIGNING_KEY_DIR: no signing key" in output
    assert not (tmp_path / "none").exists()


def test_logs_hold_nothing_personal(
    identity: IdentityProcess, auth: AuthServiceStub, session: Session
) -> None:
    refusal_of(auth.Login, LoginRequest(email=session.user.email, password=PASSWORD[::-1]))
    refusal_of(
        auth.Register,
        RegisterRequest(email=session.user.email, password=PASSWORD, display_name=NAME),
    )
    log = identity.log
    assert '"event"' in log
    secrets_of_people = [
        "@example.com",
        PASSWORD,
        PASSWORD[::-1],
        NAME,
        session.access_token,
        session.refresh_token,
        "argon2id",
        "203.0.113.",
        "PRIVATE KEY",
    ]
    assert [text for text in secrets_of_people if text in log] == []
