"""The wallet through its real server: mTLS, the contract's rules, Stripe and Kafka."""

import asyncio
from typing import Any

import grpc
import pytest

from blytz.common.v1.money_pb2 import Money
from blytz.payment.v1 import wallet_service_pb2 as messages
from fakes.payment_database import PaymentDatabase
from fakes.payment_mesh import PaymentMesh, balance_of, deposit_request, reason_of, usd
from kernel.ids import new_id


async def test_from_deposit_to_earnings(mesh: PaymentMesh) -> None:
    user_id, token = mesh.person()
    seller_id, sellers_token = mesh.person()
    request = deposit_request()
    first = await mesh.wallet.CreateDeposit(request, metadata=token)
    assert first.deposit.state == messages.DEPOSIT_STATE_SUCCEEDED
    assert await mesh.wallet.CreateDeposit(request, metadata=token) == first
    allot = messages.AllotBiddingPowerRequest(
        request_id=new_id(), user_id=user_id, shard=9, amount=usd(5000), minimum=usd(400)
    )
    allotted = await mesh.auctions_wallet.AllotBiddingPower(allot)
    assert allotted.allotted == usd(1000)
    assert await mesh.auctions_wallet.AllotBiddingPower(allot) == allotted
    await mesh.auctions_wallet.ReturnBiddingPower(
        messages.ReturnBiddingPowerRequest(
            request_id=new_id(), user_id=user_id, shard=9, amount=usd(300)
        )
    )
    settle = messages.SettleWinRequest(
        request_id=new_id(),
        auction_id=new_id(shard=9),
        winner_id=user_id,
        seller_id=seller_id,
        shard=9,
        hammer_price=usd(650),
    )
    await mesh.auctions_wallet.SettleWin(settle)
    await mesh.auctions_wallet.SettleWin(settle)
    assert await balance_of(mesh, token) == (300, 50, 0)
    assert await balance_of(mesh, sellers_token) == (0, 0, 650)
    settle.request_id = new_id()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await mesh.auctions_wallet.SettleWin(settle)
    assert reason_of(refused.value) == ("ALREADY_EXISTS", "AUCTION_SETTLED", {})


async def test_ids_are_the_same_in_capitals(mesh: PaymentMesh) -> None:
    user_id, token = mesh.person()
    await mesh.wallet.CreateDeposit(deposit_request(), metadata=token)
    await mesh.auctions_wallet.AllotBiddingPower(
        messages.AllotBiddingPowerRequest(
            request_id=new_id().upper(),
            user_id=user_id.upper(),
            shard=0,
            amount=usd(100),
            minimum=usd(100),
        )
    )
    assert await balance_of(mesh, token) == (900, 100, 0)


@pytest.mark.parametrize(
    ("request_message", "expected"),
    [
        (
            deposit_request(amount=Money(currency_code="CHF", amount_minor=1000)),
            ("INVALID_ARGUMENT", "CURRENCY_NOT_SUPPORTED", {"currency_code": "CHF"}),
        ),
        (deposit_request(amount=usd(0)), ("INVALID_ARGUMENT", "INVALID_REQUEST", {})),
        (deposit_request(amount=usd(-100)), ("INVALID_ARGUMENT", "INVALID_REQUEST", {})),
        (deposit_request(amount=usd(2**62)), ("INVALID_ARGUMENT", "INVALID_REQUEST", {})),
        (deposit_request(request_id="7"), ("INVALID_ARGUMENT", "INVALID_REQUEST", {})),
        (deposit_request(card="4242424242424242"), ("INVALID_ARGUMENT", "INVALID_REQUEST", {})),
        (
            deposit_request(card="pm_card_chargeDeclined"),
            ("FAILED_PRECONDITION", "CARD_DECLINED", {"decline_code": "generic_decline"}),
        ),
        (
            deposit_request(card="pm_card_nobody"),
            ("INVALID_ARGUMENT", "PAYMENT_METHOD_UNKNOWN", {}),
        ),
    ],
)
async def test_a_refused_deposit(
    mesh: PaymentMesh,
    request_message: messages.CreateDepositRequest,
    expected: tuple[str, str, dict[str, str]],
) -> None:
    _, token = mesh.person()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await mesh.wallet.CreateDeposit(request_message, metadata=token)
    assert reason_of(refused.value) == expected
    assert await balance_of(mesh, token) == (0, 0, 0)


async def test_a_request_id_with_another_body(mesh: PaymentMesh) -> None:
    _, token = mesh.person()
    request = deposit_request()
    await mesh.wallet.CreateDeposit(request, metadata=token)
    request.amount.amount_minor += 1
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await mesh.wallet.CreateDeposit(request, metadata=token)
    assert reason_of(refused.value)[:2] == ("INVALID_ARGUMENT", "REQUEST_ID_REUSED")
    assert await balance_of(mesh, token) == (1000, 0, 0)


async def test_another_persons_request_id_is_another_command(mesh: PaymentMesh) -> None:
    request = deposit_request()
    deposit_ids = set()
    for _ in range(2):
        _, token = mesh.person()
        response = await mesh.wallet.CreateDeposit(request, metadata=token)
        deposit_ids.add(response.deposit.deposit_id)
        assert await balance_of(mesh, token) == (1000, 0, 0)
    assert len(deposit_ids) == 2


async def test_who_may_call(mesh: PaymentMesh) -> None:
    user_id, token = mesh.person()
    allot = messages.AllotBiddingPowerRequest(
        request_id=new_id(), user_id=user_id, amount=usd(1), minimum=usd(1)
    )
    calls: list[tuple[Any, str, str]] = [
        (
            mesh.wallet.GetWallet(messages.GetWalletRequest()),
            "UNAUTHENTICATED",
            "TOKEN_MISSING",
        ),
        (mesh.wallet.CreateDeposit(deposit_request()), "UNAUTHENTICATED", "TOKEN_MISSING"),
        (
            mesh.wallet.AllotBiddingPower(allot, metadata=token),
            "PERMISSION_DENIED",
            "CALLER_NOT_ALLOWED",
        ),
        (
            mesh.auctions_wallet.GetWallet(messages.GetWalletRequest(), metadata=token),
            "PERMISSION_DENIED",
            "CALLER_NOT_ALLOWED",
        ),
    ]
    for call, status, reason in calls:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call
        assert reason_of(refused.value)[:2] == (status, reason)


async def test_no_funds(mesh: PaymentMesh) -> None:
    user_id, token = mesh.person()
    await mesh.wallet.CreateDeposit(deposit_request(), metadata=token)
    request = messages.AllotBiddingPowerRequest(
        request_id=new_id(), user_id=user_id, amount=usd(2000), minimum=usd(1001)
    )
    for _ in range(2):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await mesh.auctions_wallet.AllotBiddingPower(request)
        assert reason_of(refused.value) == (
            "FAILED_PRECONDITION",
            "INSUFFICIENT_FUNDS",
            {"available_minor": "1000"},
        )


async def test_a_paid_deposit_reaches_kafka(mesh: PaymentMesh, opened: PaymentDatabase) -> None:
    _, token = mesh.person()
    response = await mesh.wallet.CreateDeposit(deposit_request(), metadata=token)
    waiting = "select from outbox where partition_key = %s and sent_at is null"
    for _ in range(400):
        if not await opened.rows(waiting, response.deposit.deposit_id):
            return
        await asyncio.sleep(0.05)
    pytest.fail("the event is still in the outbox after 20 seconds")
