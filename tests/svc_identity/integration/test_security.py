"""Security statements 1 to 5, 7, 12 and 26 on the whole service, over mTLS."""

import json
import statistics
import time
from pathlib import Path

import grpc
import jwt
from google.protobuf.empty_pb2 import Empty

from blytz.identity.v1.auth_service_pb2 import (
    LoginRequest,
    RefreshTokenRequest,
    RegisterRequest,
    Session,
)
from blytz.identity.v1.auth_service_pb2_grpc import AuthServiceStub
from blytz.identity.v1.user_service_pb2 import GetMeRequest
from blytz.identity.v1.user_service_pb2_grpc import UserServiceStub
from fakes.identity_calls import NAME, PASSWORD, bearer, forwarded_for, new_email, registered
from fakes.identity_process import (
    IdentityProcess,
    refusal_of,
    run_identity,
)
from fakes.token_mint import handmade


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
        handmade(header | {"alg": "none"}, claims),
        handmade(header | {"alg": "HS256"}, claims, secret=jwks),
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
    def guess(claimed_address: str) -> str:
        return refusal_of(
            auth.Login,
            LoginRequest(email=session.user.email, password="wrong"),
            metadata=forwarded_for(f"{claimed_address}, 203.0.113.9"),
        ).reason

    assert {guess(f"198.51.100.{n}") for n in range(10)} == {"CREDENTIALS_INVALID"}
    refusal = refusal_of(
        auth.Login,
        LoginRequest(email=session.user.email, password=PASSWORD),
        metadata=forwarded_for("203.0.113.9"),
    )
    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "RATE_LIMITED",
    )
    assert 0 < (refusal.retry_after_s or 0) <= 30
    request = LoginRequest(email=session.user.email, password=PASSWORD)
    assert auth.Login(request, metadata=forwarded_for("203.0.113.10")).session


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
