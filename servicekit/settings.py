"""Settings: frozen, typed, read from the environment once, at start.

A field ``postgres_url`` is read from ``BLYTZ_POSTGRES_URL``. What is missing or malformed is said
in one message that names every such variable.
"""

import os
import typing
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Literal

PREFIX = "BLYTZ_"


class SettingsError(Exception):
    """The environment does not make valid settings; the message names each variable."""


@dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """What every service needs to know. Addresses are ``host:port``, URLs are complete."""

    environment: Literal["development", "production"] = "production"
    grpc_address: str
    admin_address: str
    tls_dir: Path
    peer_identity: Literal["tls", "xfcc"] = "tls"
    trust_domain: str = "blytz.live"

    postgres_url: str = ""
    postgres_replica_url: str = ""
    postgres_pool_max: int = 10
    kafka_bootstrap: str = ""
    redis_url: str = ""

    identity_address: str = ""
    auction_address: str = ""
    payment_address: str = ""
    realtime_address: str = ""

    token_issuer: str = "https://blytz.live"
    token_audience: str = "blytz"

    log_level: str = "info"
    otlp_endpoint: str = ""
    trace_sample_ratio: float = 0.01
    drain_grace_s: float = 10.0
    drain_delay_s: float = 0.2
    concurrent_calls_max: int = 20_000


LoadedSettings = typing.TypeVar("LoadedSettings", bound=ServiceSettings)


def load(settings: type[LoadedSettings], environ: Mapping[str, str] = os.environ) -> LoadedSettings:
    """Read ``settings`` from the environment; ``SettingsError`` names all that is wrong at once."""
    hints = typing.get_type_hints(settings)
    values: dict[str, typing.Any] = {}
    problems: list[str] = []
    for field in fields(settings):
        variable = PREFIX + field.name.upper()
        text = environ.get(variable)
        if text is None:
            if field.default is MISSING and field.default_factory is MISSING:
                problems.append(f"{variable} is missing")
            continue
        try:
            values[field.name] = _parse(text, hints[field.name])
        except ValueError as error:
            problems.append(f"{variable} {error}")
    if problems:
        raise SettingsError("; ".join(problems))
    return settings(**values)


def _parse(text: str, hint: object) -> object:
    if typing.get_origin(hint) is Literal:
        choices = typing.get_args(hint)
        if text not in choices:
            raise ValueError(f"is {text!r}, not one of {', '.join(choices)}")
        return text
    if hint is bool:
        if text.lower() not in {"true", "false", "1", "0"}:
            raise ValueError(f"is {text!r}, not true or false")
        return text.lower() in {"true", "1"}
    if hint in {int, float}:
        try:
            return int(text) if hint is int else float(text)
        except ValueError:
            raise ValueError(f"is {text!r}, not a number") from None
    return Path(text) if hint is Path else text
