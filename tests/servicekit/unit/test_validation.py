import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message

from blytz.auction.v1 import auction_pb2
from blytz.auction.v1 import auction_service_pb2 as messages
from blytz.common.v1.money_pb2 import Money
from kernel.ids import new_id
from servicekit.errors import InvalidRequest
from servicekit.validation import validate, validator_of


def violations_of(message: Message) -> dict[str, str]:
    with pytest.raises(InvalidRequest) as refused:
        validate(message)
    return {violation.field: violation.rule_id for violation in refused.value.violations}


def test_a_good_request_passes() -> None:
    validate(
        messages.PlaceBidRequest(
            request_id=new_id(),
            auction_id=new_id(),
            maximum=Money(currency_code="USD", amount_minor=1),
        )
    )


def test_each_broken_field_is_named_with_its_rule() -> None:
    found = violations_of(messages.PlaceBidRequest(request_id="x", auction_id=new_id()))
    assert found == {"request_id": "string.uuid", "maximum": "required"}


def test_a_path_leads_into_messages_and_lists() -> None:
    steps = [
        auction_pb2.IncrementStep(price_from_minor=0, step_minor=1),
        auction_pb2.IncrementStep(price_from_minor=1, step_minor=0),
    ]
    close = auction_pb2.SoftClose(
        extend_within=Duration(seconds=10), extend_by=Duration(nanos=1), extensions_max=1
    )
    terms = auction_pb2.AuctionTerms(
        format=auction_pb2.AUCTION_FORMAT_ENGLISH,
        opening_price=Money(currency_code="dollar", amount_minor=1),
        increments=steps,
        soft_close=close,
        funding_policy=auction_pb2.FUNDING_POLICY_OPEN,
    )
    request = messages.CreateAuctionRequest(request_id=new_id(), title="A watch", terms=terms)
    assert violations_of(request).keys() == {
        "terms.opening_price.currency_code",
        "terms.increments[1].step_minor",
        "terms.soft_close.extend_by",
    }


def test_types_of_google_have_no_rules_of_ours() -> None:
    assert validator_of(Empty) is None
    assert validator_of(messages.PlaceBidRequest) is validate
