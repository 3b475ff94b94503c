"""The settings of svc_auction."""

from dataclasses import dataclass

from servicekit.settings import ServiceSettings, SettingsError

_DEVELOPMENT_ALIAS_KEY = "development"


@dataclass(frozen=True, kw_only=True)
class AuctionSettings(ServiceSettings):
    """What svc_auction needs beyond the common.

    ``shard_urls`` maps shards to databases, ``0=postgresql://…;1=postgresql://…``; without it shard
    0 is the service's own database. ``open_shards`` names those that take new auctions, ``0,1``;
    without it all do. ``alias_key`` is the secret that bidders' aliases are drawn under.
    """

    shard_urls: str = ""
    open_shards: str = ""
    alias_key: str = _DEVELOPMENT_ALIAS_KEY

    def __post_init__(self) -> None:
        if self.environment == "production" and self.alias_key == _DEVELOPMENT_ALIAS_KEY:
            raise SettingsError("BLYTZ_ALIAS_KEY must be a secret in production")
