"""Aliases: what others see instead of a bidder, another one in every auction.

An alias is drawn by HMAC-SHA-256 over the auction's and the bidder's id under the service's own
key, so nobody can tell from it who bids, nor that two aliases in two auctions are one person.
"""

import hashlib
import hmac
from functools import lru_cache

_COLOURS = (
    "Amber Azure Coral Copper Crimson Ebony Emerald Frost Golden Hazel Indigo Ivory Jade Lilac "
    "Maple Marine Mint Olive Opal Pearl Plum Rose Ruby Russet Saffron Scarlet Silver Slate Teal "
    "Umber Violet Willow"
).split()
_ANIMALS = (
    "Badger Bear Bison Crane Deer Dolphin Eagle Falcon Finch Fox Hare Hawk Heron Ibex Jay Kestrel "
    "Koala Lark Lynx Marten Moose Newt Otter Owl Panda Puffin Raven Robin Seal Swan Tiger Wren"
).split()
_NUMBERS = 90
_CACHED_MAX = 200_000


class Aliases:
    """Draws aliases under a secret key; the same bidder in the same auction has always the same."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()
        self.of = lru_cache(maxsize=_CACHED_MAX)(self._draw)

    def _draw(self, auction_id: str, bidder_id: str) -> str:
        text = f"{auction_id}|{bidder_id}".encode()
        drawn = int.from_bytes(hmac.digest(self._key, text, hashlib.sha256)[:8], "big")
        drawn, colour = divmod(drawn, len(_COLOURS))
        drawn, animal = divmod(drawn, len(_ANIMALS))
        return f"{_COLOURS[colour]} {_ANIMALS[animal]} {10 + drawn % _NUMBERS}"
