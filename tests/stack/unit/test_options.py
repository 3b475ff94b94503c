from pathlib import Path

import pytest

from stack.options import Options, data_dir_of


def test_parts_elsewhere_are_named_by_the_environment(tmp_path: Path) -> None:
    environment = {
        "BLYTZ_POSTGRES_URL": "postgresql://db/",
        "BLYTZ_KAFKA_BOOTSTRAP": "kafka:9092",
        "BLYTZ_REDIS_URL": "redis://cache/0",
        "BLYTZ_STRIPE_API_KEY": "sk_test_1",
    }
    options = Options.from_environment(environment, data_dir=tmp_path)
    assert options.postgres_url == "postgresql://db/"
    assert options.kafka_bootstrap == "kafka:9092"
    assert options.redis_url == "redis://cache/0"
    assert options.stripe_api_key == "sk_test_1"
    assert options.stripe_api_base == ""
    assert Options.from_environment({}, data_dir=tmp_path).postgres_url == ""


def test_the_data_folder_is_the_option_else_the_variable_else_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("BLYTZ_DATA_DIR", raising=False)
    assert data_dir_of(None) == Path(".blytz")
    monkeypatch.setenv("BLYTZ_DATA_DIR", "/var/tmp/elsewhere")  # noqa: S108
    assert data_dir_of(None) == Path("/var/tmp/elsewhere")  # noqa: S108
    assert data_dir_of(Path("given")) == Path("given")
