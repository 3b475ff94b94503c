from svc_auction.infrastructure import announcements
from svc_auction.infrastructure.announcements import WAITING_MAX, Announcements


def dropped() -> float:
    return float(announcements._dropped._value.get())


def test_only_the_newest_position_of_an_auction_waits() -> None:
    noted = Announcements()
    for position in [(1, 5), (1, 7), (1, 6), (2, 1), (1, 9)]:
        noted.note("a", position)
    noted.note("b", (1, 2))
    assert noted.take() == {"a": (2, 1), "b": (1, 2)}
    assert noted.take() == {}


def test_as_many_wait_as_there_is_room_for() -> None:
    noted, before = Announcements(), dropped()
    for number in range(WAITING_MAX + 3):
        noted.note(str(number), (1, 1))
    noted.note("0", (1, 2))
    taken = noted.take()
    assert len(taken) == WAITING_MAX
    assert taken["0"] == (1, 2)
    assert dropped() - before == 3
