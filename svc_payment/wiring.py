"""The only place that constructs what the payment service is made of."""

import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from blytz.payment.v1 import payment_service_pb2, wallet_service_pb2
from servicekit.events.relay import Relay
from servicekit.main import Kit, Service, Wiring
from servicekit.postgres import Database
from svc_payment.domain.currencies import Currencies
from svc_payment.infrastructure.grpc_service import PaymentGrpcService, WalletGrpcService
from svc_payment.infrastructure.postgres_ledger import PostgresLedger
from svc_payment.infrastructure.proto_mapping import encode_answer
from svc_payment.infrastructure.reconciler import Reconciler
from svc_payment.infrastructure.stripe_processor import StripeProcessor, StripeWebhook
from svc_payment.infrastructure.verification import verify_ledger
from svc_payment.settings import PaymentSettings


@asynccontextmanager
async def wire(settings: PaymentSettings, _kit: Kit) -> AsyncIterator[Wiring]:
    """Open the database and the processor and build the service on them."""
    async with (
        Database.open(
            settings.postgres_url, pool_max=settings.postgres_pool_max, application_name="payment"
        ) as database,
        StripeProcessor.open(
            api_key=settings.stripe_api_key, api_base=settings.stripe_api_base
        ) as processor,
    ):
        relay = Relay(database=database, kafka_bootstrap=settings.kafka_bootstrap, name="payment")
        ledger = PostgresLedger(database=database, encode=encode_answer, published=relay.wake)
        wallet = WalletGrpcService(
            ledger=ledger, processor=processor, currencies=Currencies.parse(settings.currencies)
        )
        payment = PaymentGrpcService(
            ledger=ledger, webhook=StripeWebhook(secret=settings.stripe_webhook_secret)
        )
        reconciler = Reconciler(
            ledger=ledger,
            processor=processor,
            reconcile_after_s=settings.reconcile_after_s,
        )
        wallet_contract = wallet_service_pb2.DESCRIPTOR.services_by_name["WalletService"]
        payment_contract = payment_service_pb2.DESCRIPTOR.services_by_name["PaymentService"]
        yield Wiring(
            rpc=[(wallet_contract, wallet), (payment_contract, payment)],
            background=[relay.run, reconciler.run],
            ready=[database.check],
        )


async def verify(settings: PaymentSettings, _kit: Kit, _arguments: Sequence[str]) -> int:
    """Print whether the ledger is sound as JSON; return 1 if it is not."""
    async with Database.open(
        settings.postgres_url, pool_max=1, application_name="payment verify-ledger"
    ) as database:
        verification = await verify_ledger(database)
    sys.stdout.write(json.dumps(verification.as_json()) + "\n")
    return 0 if verification.is_sound else 1


SERVICE = Service(
    name="payment",
    settings=PaymentSettings,
    wire=wire,
    migrations="svc_payment.infrastructure.migrations",
    roles={"verify-ledger": verify},
)
