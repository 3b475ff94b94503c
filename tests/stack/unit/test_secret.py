import stat
from pathlib import Path

from stack.secret import Secret


def test_a_second_start_knows_the_passwords_again(tmp_path: Path) -> None:
    first = Secret.load(tmp_path / "secret")
    second = Secret.load(tmp_path / "secret")
    assert first.derive("postgres/auction") == second.derive("postgres/auction")
    assert first.derive("postgres/auction") != first.derive("postgres/payment")


def test_two_stacks_have_different_passwords(tmp_path: Path) -> None:
    one, other = Secret.load(tmp_path / "one"), Secret.load(tmp_path / "other")
    assert one.derive("redis") != other.derive("redis")


def test_only_the_owner_reads_the_secret(tmp_path: Path) -> None:
    Secret.load(tmp_path / "secret")
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
