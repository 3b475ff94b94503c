import uuid

from hypothesis import given
from hypothesis import strategies as st

from kernel.ids import new_id
from servicekit.events.inbox import first_id_of


@given(st.integers(min_value=0, max_value=2**48 - 1))
def test_the_first_id_of_a_millisecond_carries_it(time_ms: int) -> None:
    identifier = uuid.UUID(first_id_of(time_ms))
    assert identifier.version == 7
    assert identifier.int >> 80 == time_ms


def test_ids_made_now_follow_the_first_id_of_a_past_millisecond() -> None:
    made = uuid.UUID(new_id())
    assert uuid.UUID(first_id_of(made.int >> 80)) <= made
    assert uuid.UUID(first_id_of((made.int >> 80) + 1)) > made
