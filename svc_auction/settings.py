"""The settings of svc_auction."""

from dataclasses import dataclass

from servicekit.settings import ServiceSettings, SettingsError

_DEVELOPMENT_ALIAS_KEY = "development"


@dataclass(frozen=True, kw_only=True)
class AuctionSettings(ServiceSettings):
    """What svc_auction needs beyond the common.

    ``shard_urls`` maps shards to databases, ``0=postgresql://…;1=postgresql://…``; without it shard
    0 is the service's own database. ``open_shards`` names those that take new auctions, ``0,1``;
    without it all do. ``shard_replica_urls`` maps shards to replicas for reads that may lag, in the
    form of ``shard_urls``; a shard without one is read itself. ``alias_key`` is the secret that
    bidders' aliases are drawn under. ``receipt_keys_path`` is a PEM file of private keys: the first
    signs receipts, all are published; without it, in development only, one is derived from
    ``alias_key``.
    """

    shard_urls: str = ""
    shard_replica_urls: str = ""
    open_shards: str = ""
    alias_key: str = _DEVELOPMENT_ALIAS_KEY
    receipt_keys_path: str = ""

    def __post_init__(self) -> None:
        if self.environment == "production" and self.alias_key == _DEVELOPMENT_ALIAS_KEY:
            raise SettingsError("BLYTZ_ALIAS_KEY must be a secret in production")
        if self.environment == "production" and not self.receipt_keys_path:
            raise SettingsError("BLYTZ_RECEIPT_KEYS_PATH must name a file of keys in production")
