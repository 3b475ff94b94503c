"""Puts svc_identity together: the only place that constructs concrete classes."""

import argparse
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import structlog

from blytz.identity.v1 import auth_service_pb2, user_service_pb2
from kernel.errors import BlytzError
from servicekit.events.relay import Relay
from servicekit.main import Kit, Service, Wiring
from servicekit.postgres import Database
from servicekit.settings import SettingsError
from svc_identity.application.apply_as_seller import ApplyAsSeller
from svc_identity.application.get_me import GetMe
from svc_identity.application.link_accounts import LinkAccounts, LinkAccountsCommand
from svc_identity.application.log_in import LogIn
from svc_identity.application.refresh_session import RefreshSession
from svc_identity.application.register import Register
from svc_identity.domain.guessing import Allowances
from svc_identity.infrastructure import signing_keys
from svc_identity.infrastructure.argon2_passwords import Argon2Passwords
from svc_identity.infrastructure.grpc_service import AuthGrpcService, UserGrpcService
from svc_identity.infrastructure.jwt_tokens import JwtAccessTokens
from svc_identity.infrastructure.postgres_attempts import PostgresSignInAttempts
from svc_identity.infrastructure.postgres_people import PostgresPeople
from svc_identity.infrastructure.postgres_sweeper import PostgresSweeper
from svc_identity.infrastructure.signing_keys import SigningKeys, SigningKeysUnusable
from svc_identity.settings import IdentitySettings

log = structlog.get_logger(__name__)


@asynccontextmanager
async def wire(settings: IdentitySettings, _kit: Kit) -> AsyncIterator[Wiring]:
    """Open what the service needs and build its parts."""
    keys = _signing_keys(settings)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(
            Database.open(
                settings.postgres_url,
                pool_max=settings.postgres_pool_max,
                application_name="svc_identity",
            )
        )
        passwords = await stack.enter_async_context(
            Argon2Passwords.open(
                thread_count=settings.hashing_thread_count, queue_max=settings.hashing_queue_max
            )
        )
        relay = Relay(database=database, kafka_bootstrap=settings.kafka_bootstrap, name="identity")
        people = PostgresPeople(database=database, wake_relay=relay.wake)
        attempts = PostgresSignInAttempts(database=database, allowances=Allowances())
        tokens = JwtAccessTokens(
            keys=keys, issuer=settings.token_issuer, audience=settings.token_audience
        )
        auth = AuthGrpcService(
            register=Register(people=people, passwords=passwords, tokens=tokens),
            log_in=LogIn(people=people, attempts=attempts, passwords=passwords, tokens=tokens),
            refresh_session=RefreshSession(people=people, tokens=tokens),
            jwks=keys.jwks,
            trusted_proxy_count=settings.trusted_proxy_count,
        )
        users = UserGrpcService(
            get_me=GetMe(people=people), apply_as_seller=ApplyAsSeller(people=people)
        )
        yield Wiring(
            rpc=[
                (auth_service_pb2.DESCRIPTOR.services_by_name["AuthService"], auth),
                (user_service_pb2.DESCRIPTOR.services_by_name["UserService"], users),
            ],
            background=[relay.run, PostgresSweeper(database=database).run, keys.run],
            ready=[database.check],
            jwks=keys.jwks,
        )


async def rotate_keys(settings: IdentitySettings, _kit: Kit, _arguments: Sequence[str]) -> int:
    """Add a signing key; running replicas notice it within seconds and sign with it later."""
    key = signing_keys.rotate_keys(settings.signing_key_dir, now_s=time.time())
    log.info("signing_key_added", key_id=key.key_id)
    return 0


async def link_accounts(settings: IdentitySettings, _kit: Kit, arguments: Sequence[str]) -> int:
    """Say that two accounts belong together, or no longer; the running service tells the others."""
    parser = argparse.ArgumentParser(prog="svc_identity link-accounts")
    parser.add_argument("user_ids", nargs=2, type=_user_id, metavar="user-id")
    parser.add_argument("--unlink", action="store_true", help="they no longer belong together")
    parsed = parser.parse_args(arguments)
    first_id, second_id = parsed.user_ids
    command = LinkAccountsCommand(user_ids=(first_id, second_id), linked=not parsed.unlink)
    audit = log.bind(user_ids=sorted(parsed.user_ids), linked=command.linked)
    async with Database.open(
        settings.postgres_url, pool_max=1, application_name="svc_identity link-accounts"
    ) as database:
        # The relay of the running service looks for new events by itself.
        people = PostgresPeople(database=database, wake_relay=lambda: None)
        try:
            await LinkAccounts(people=people)(command)
        except BlytzError as refusal:
            audit.error("accounts_not_linked", reason=refusal.reason, problem=refusal.message)
            return 1
    audit.info("accounts_linked")
    return 0


def _user_id(text: str) -> str:
    return str(uuid.UUID(text))


def _signing_keys(settings: IdentitySettings) -> SigningKeys:
    try:
        if settings.environment == "development":
            signing_keys.ensure_key(settings.signing_key_dir, now_s=time.time())
        return SigningKeys(settings.signing_key_dir)
    except (SigningKeysUnusable, OSError) as error:
        raise SettingsError(f"BLYTZ_SIGNING_KEY_DIR: {error}") from error


SERVICE = Service(
    name="identity",
    settings=IdentitySettings,
    wire=wire,
    migrations="svc_identity.infrastructure.migrations",
    roles={"link-accounts": link_accounts, "rotate-keys": rotate_keys},
)
