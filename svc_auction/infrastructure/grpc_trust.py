"""The calls that let anyone check what happened: receipts, their keys, and the bid log."""

from blytz.auction.v1 import auction_service_pb2 as messages
from blytz.common.v1.money_pb2 import Money
from servicekit.call import Call
from servicekit.errors import RoleMissing
from svc_auction.application.issue_receipt import IssueReceipt
from svc_auction.application.verify_bid_log import VerifiedLog, VerifyBidLog
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.receipts import ReceiptKeys

_MODERATOR_ROLES = frozenset({"MODERATOR", "ADMIN"})


class TrustCalls:
    """Signs receipts for bidders, and recomputes logs for everybody."""

    def __init__(
        self, *, issue: IssueReceipt, verify: VerifyBidLog, keys: ReceiptKeys, aliases: Aliases
    ) -> None:
        self._issue = issue
        self._verify = verify
        self._keys = keys
        self._aliases = aliases

    async def GetBidReceipt(
        self, request: messages.GetBidReceiptRequest, call: Call
    ) -> messages.GetBidReceiptResponse:
        """Return a signed receipt for a bid of the caller's; for any bid to a moderator."""
        receipt = await self._issue(
            auction_id=request.auction_id.lower(),
            bid_id=request.bid_id.lower(),
            caller_id=call.require_person().user_id,
            by_moderator=_is_moderator(call),
        )
        return messages.GetBidReceiptResponse(receipt=receipt)

    async def VerifyBidLog(
        self, request: messages.VerifyBidLogRequest, call: Call
    ) -> messages.VerifyBidLogResponse:
        """Recompute an auction from its log; a moderator may leave a bidder out."""
        if request.without_bidder_id and not _is_moderator(call):
            raise RoleMissing(role="MODERATOR")
        verified = await self._verify(
            request.auction_id.lower(),
            viewer_id=call.person.user_id if call.person is not None else None,
            without_bidder_id=request.without_bidder_id.lower(),
        )
        return _verified_message(verified, self._aliases)

    async def GetReceiptKeys(
        self, request: messages.GetReceiptKeysRequest, call: Call
    ) -> messages.GetReceiptKeysResponse:
        """Return the public keys of receipts as a JSON Web Key Set."""
        del request, call
        return messages.GetReceiptKeysResponse(
            keys=[messages.JsonWebKey(**key) for key in self._keys.public]
        )


def _is_moderator(call: Call) -> bool:
    return call.person is not None and not _MODERATOR_ROLES.isdisjoint(call.person.roles)


def _verified_message(verified: VerifiedLog, aliases: Aliases) -> messages.VerifyBidLogResponse:
    finding, auction = verified.finding, verified.auction
    currency_code = auction.terms.currency_code
    response = messages.VerifyBidLogResponse(
        valid=finding.valid,
        record_count=finding.record_count,
        head=finding.head,
        first_fault_sequence=max(0, finding.first_fault_sequence),
        fault=finding.fault,
    )
    if verified.tells_price:
        price = Money(currency_code=currency_code, amount_minor=finding.price_minor)
        response.price.CopyFrom(price)
        if finding.leader_id is not None:
            response.leader_alias = aliases.of(auction.listing.auction_id, finding.leader_id)
    if verified.counterfactual_minor is not None:
        counterfactual = Money(
            currency_code=currency_code, amount_minor=verified.counterfactual_minor
        )
        response.counterfactual_price.CopyFrom(counterfactual)
    return response
