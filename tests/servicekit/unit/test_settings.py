from dataclasses import FrozenInstanceError, dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from servicekit.settings import ServiceSettings, SettingsError, load

NEEDED = {
    "BLYTZ_GRPC_ADDRESS": "127.0.0.1:1",
    "BLYTZ_ADMIN_ADDRESS": "127.0.0.1:2",
    "BLYTZ_TLS_DIR": "tls/auction",
}


@dataclass(frozen=True, kw_only=True)
class ShopSettings(ServiceSettings):
    shelf_count: int = 3
    discount_ratio: float = 0.5
    opened: bool = False
    size: Literal["small", "large"] = "small"
    folder: Path = Path("here")
    tags: str = field(default_factory=str)
    keeper: str


def loaded(**environ: str) -> ShopSettings:
    return load(ShopSettings, NEEDED | {"BLYTZ_KEEPER": "Ann"} | environ)


def test_what_is_not_set_has_its_default() -> None:
    settings = loaded()
    assert (settings.shelf_count, settings.discount_ratio, settings.opened) == (3, 0.5, False)
    assert (settings.size, settings.folder, settings.tags) == ("small", Path("here"), "")
    assert (settings.environment, settings.log_level) == ("production", "info")


def test_what_is_set_is_read_as_its_type() -> None:
    settings = loaded(
        BLYTZ_SHELF_COUNT="12",
        BLYTZ_DISCOUNT_RATIO="0.25",
        BLYTZ_OPENED="True",
        BLYTZ_SIZE="large",
        BLYTZ_FOLDER="there/too",
        BLYTZ_TAGS="",
        BLYTZ_ENVIRONMENT="development",
        UNRELATED="x",
    )
    assert (settings.shelf_count, settings.discount_ratio, settings.opened) == (12, 0.25, True)
    assert (settings.size, settings.folder) == ("large", Path("there/too"))
    assert settings.tls_dir == Path("tls/auction")
    assert settings.environment == "development"


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("1", True), ("0", False), ("FALSE", False)]
)
def test_true_and_false_have_a_few_spellings(text: str, *, value: bool) -> None:
    assert loaded(BLYTZ_OPENED=text).opened is value


def test_everything_that_is_wrong_is_said_at_once() -> None:
    wrong = {
        "BLYTZ_SHELF_COUNT": "many",
        "BLYTZ_DISCOUNT_RATIO": "half",
        "BLYTZ_OPENED": "maybe",
        "BLYTZ_SIZE": "huge",
    }
    with pytest.raises(SettingsError) as refused:
        load(ShopSettings, {"BLYTZ_GRPC_ADDRESS": "x", **wrong})
    said = str(refused.value).split("; ")
    assert sorted(said) == [
        "BLYTZ_ADMIN_ADDRESS is missing",
        "BLYTZ_DISCOUNT_RATIO is 'half', not a number",
        "BLYTZ_KEEPER is missing",
        "BLYTZ_OPENED is 'maybe', not true or false",
        "BLYTZ_SHELF_COUNT is 'many', not a number",
        "BLYTZ_SIZE is 'huge', not one of small, large",
        "BLYTZ_TLS_DIR is missing",
    ]


def test_an_empty_name_is_a_value_not_a_gap() -> None:
    assert loaded(BLYTZ_KEEPER="").keeper == ""


def test_settings_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        loaded().shelf_count = 4  # type: ignore[misc]
