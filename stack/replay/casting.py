"""Who plays whom: recorded bidders become a few accounts, each a distinct one per auction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stack.replay.recording import RecordedAuction


@dataclass(frozen=True, slots=True)
class Casting:
    """For every recorded auction which account, by its number, plays which bidder."""

    accounts: int
    parts: Mapping[str, Mapping[str, int]]

    def needed_minor(self, auctions: Sequence[RecordedAuction]) -> list[int]:
        """Return what each account needs at the most to play its parts in ``auctions`` at once."""
        needed = [0] * self.accounts
        for auction in auctions:
            parts = self.parts[auction.recorded_id]
            for bidder, maximum_minor in auction.bidders.items():
                needed[parts[bidder]] += maximum_minor
        return needed


def cast(auctions: Sequence[RecordedAuction]) -> Casting:
    """Use as many accounts as the auction with the most bidders has; share the bids out evenly.

    The gateway limits how fast one person bids, so the busiest part goes to whom has least to do.
    """
    accounts = max(len(auction.bidders) for auction in auctions)
    bids_of_account = [0] * accounts
    parts: dict[str, dict[str, int]] = {}
    for auction in auctions:
        bids_of_bidder: dict[str, int] = {}
        for bid in auction.bids:
            bids_of_bidder[bid.bidder] = bids_of_bidder.get(bid.bidder, 0) + 1
        busiest_first = sorted(bids_of_bidder, key=lambda bidder: -bids_of_bidder[bidder])
        idlest_first = sorted(range(accounts), key=lambda account: bids_of_account[account])
        # There are at least as many accounts as bidders.
        played = dict(zip(busiest_first, idlest_first, strict=False))
        for bidder, account in played.items():
            bids_of_account[account] += bids_of_bidder[bidder]
        parts[auction.recorded_id] = played
    return Casting(accounts=accounts, parts=parts)
