"""A signed-in person: their tokens, refreshed in time, and what they may call."""

import asyncio
import time
import uuid
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from blytz.auction.v1.auction_pb2 import Auction, AuctionTerms
from blytz.auction.v1.auction_service_pb2 import (
    CancelAuctionRequest,
    CancelAuctionResponse,
    CloseAuctionRequest,
    CloseAuctionResponse,
    CreateAuctionRequest,
    CreateAuctionResponse,
    ScheduleAuctionRequest,
    ScheduleAuctionResponse,
    StartAuctionRequest,
    StartAuctionResponse,
)
from blytz.common.v1.money_pb2 import Money
from blytz.identity.v1 import auth_service_pb2, user_service_pb2
from blytz.identity.v1.auth_service_pb2 import RefreshTokenRequest, RefreshTokenResponse
from blytz.identity.v1.user_service_pb2 import (
    ApplyAsSellerRequest,
    ApplyAsSellerResponse,
    GetMeRequest,
    GetMeResponse,
    User,
)
from blytz.payment.v1 import wallet_service_pb2
from blytz.payment.v1.wallet_service_pb2 import (
    Balance,
    CreateDepositRequest,
    CreateDepositResponse,
    Deposit,
    GetWalletRequest,
    GetWalletResponse,
)
from blytz_client.bidding_calls import BiddingCalls
from blytz_client.connection import Connection
from blytz_client.policy import policies_of
from blytz_client.public_calls import AUCTION
from blytz_client.show_calls import ShowCalls

AUTH = policies_of(auth_service_pb2.DESCRIPTOR.services_by_name["AuthService"])
USER = policies_of(user_service_pb2.DESCRIPTOR.services_by_name["UserService"])
WALLET = policies_of(wallet_service_pb2.DESCRIPTOR.services_by_name["WalletService"])

REFRESH_AHEAD_S = 60.0
"""An access token with less than this left is exchanged before the next call."""


class Session(BiddingCalls, ShowCalls):
    """One person's session; made by ``Blytz.register``, ``login`` or ``resume``."""

    def __init__(self, *, connection: Connection, tokens: auth_service_pb2.Session) -> None:
        super().__init__(connection)
        self._refreshing = asyncio.Lock()
        self._keep(tokens)

    @property
    def tokens(self) -> auth_service_pb2.Session:
        """The tokens to keep between runs; they change with each refresh."""
        return self._tokens

    @property
    def user(self) -> User:
        """The person, as of the last refresh."""
        return self._tokens.user

    async def refresh(self) -> None:
        """Exchange the tokens now, for example to carry a role that was just granted."""
        async with self._refreshing:
            await self._exchange()

    async def get_me(self) -> User:
        """Return one's own account."""
        return (await self._call(USER["GetMe"], GetMeRequest(), GetMeResponse)).user

    async def apply_as_seller(self, *, shop_name: str) -> User:
        """Ask to be allowed to sell, and refresh so that the token carries the role."""
        request = ApplyAsSellerRequest(shop_name=shop_name)
        response = await self._call(USER["ApplyAsSeller"], request, ApplyAsSellerResponse)
        await self.refresh()
        return response.user

    async def create_auction(
        self,
        *,
        title: str,
        terms: AuctionTerms,
        description: str = "",
        image_url: str = "",
        reserve_price: Money | None = None,
        request_id: str = "",
    ) -> Auction:
        """Make a draft."""
        request = CreateAuctionRequest(
            request_id=request_id or str(uuid.uuid4()),
            title=title,
            description=description,
            image_url=image_url,
            terms=terms,
            reserve_price=reserve_price,
        )
        return (await self._call(AUCTION["CreateAuction"], request, CreateAuctionResponse)).auction

    async def schedule_auction(
        self, auction_id: str, *, starts_at: datetime, ends_at: datetime
    ) -> Auction:
        """Announce a draft; it starts and ends by itself."""
        request = ScheduleAuctionRequest(
            auction_id=auction_id, starts_at=_timestamp(starts_at), ends_at=_timestamp(ends_at)
        )
        method = AUCTION["ScheduleAuction"]
        return (await self._call(method, request, ScheduleAuctionResponse)).auction

    async def start_auction(self, auction_id: str, *, ends_at: datetime | None = None) -> Auction:
        """Open an auction for bids now; ``ends_at`` may be absent if it was scheduled."""
        request = StartAuctionRequest(
            auction_id=auction_id, ends_at=None if ends_at is None else _timestamp(ends_at)
        )
        return (await self._call(AUCTION["StartAuction"], request, StartAuctionResponse)).auction

    async def close_auction(self, auction_id: str) -> Auction:
        """End a live auction now."""
        request = CloseAuctionRequest(auction_id=auction_id)
        return (await self._call(AUCTION["CloseAuction"], request, CloseAuctionResponse)).auction

    async def cancel_auction(self, auction_id: str, *, reason: str = "") -> Auction:
        """Call an auction off."""
        request = CancelAuctionRequest(auction_id=auction_id, reason=reason)
        return (await self._call(AUCTION["CancelAuction"], request, CancelAuctionResponse)).auction

    async def get_wallet(self) -> list[Balance]:
        """Return the wallet's balances, one a currency."""
        response = await self._call(WALLET["GetWallet"], GetWalletRequest(), GetWalletResponse)
        return list(response.balances)

    async def create_deposit(
        self,
        *,
        amount_minor: int,
        currency_code: str,
        payment_method_id: str,
        request_id: str = "",
    ) -> Deposit:
        """Pay money into the wallet, in minor units, with a payment method of the processor."""
        request = CreateDepositRequest(
            request_id=request_id or str(uuid.uuid4()),
            amount=Money(currency_code=currency_code, amount_minor=amount_minor),
            payment_method_id=payment_method_id,
        )
        return (await self._call(WALLET["CreateDeposit"], request, CreateDepositResponse)).deposit

    async def _authorization(self) -> str | None:
        """Return an access token that still lives; many calls at once refresh it once."""
        if time.time() > self._refresh_at_s:
            async with self._refreshing:
                if time.time() > self._refresh_at_s:
                    await self._exchange()
        return self._tokens.access_token

    async def _exchange(self) -> None:
        # Not repeated: a refresh token works once, and a second use revokes the whole session.
        response = await self._connection.unary(
            AUTH["RefreshToken"],
            RefreshTokenRequest(refresh_token=self._tokens.refresh_token),
            RefreshTokenResponse,
        )
        self._keep(response.session)

    def _keep(self, tokens: auth_service_pb2.Session) -> None:
        self._tokens = tokens
        expires_at_s = tokens.access_token_expires_at.ToNanoseconds() / 1e9
        left_s = expires_at_s - time.time()
        self._refresh_at_s = expires_at_s - min(REFRESH_AHEAD_S, left_s / 2)


def _timestamp(moment: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp
