import json
import os
from pathlib import Path

import pytest

from stack.layout import Layout
from stack.state import AlreadyRunning, held_lock, read_state, running_pid


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout.at(tmp_path / "data")
    layout.create()
    return layout


def test_a_folder_is_held_by_one(layout: Layout) -> None:
    assert running_pid(layout) is None
    with held_lock(layout):
        assert running_pid(layout) == os.getpid()
        with pytest.raises(AlreadyRunning), held_lock(layout):
            pass
    assert running_pid(layout) is None
    with held_lock(layout):
        pass


def test_the_state_of_an_earlier_stack_says_nothing(layout: Layout) -> None:
    layout.state_path.write_text(json.dumps({"pid": 1, "ready": True, "parts": {"auction": {}}}))
    assert read_state(layout) == {"ready": False, "parts": {}}
    with held_lock(layout):
        assert read_state(layout) == {"ready": False, "parts": {}}
        layout.state_path.write_text(json.dumps({"pid": os.getpid(), "ready": True, "parts": {}}))
        assert read_state(layout)["ready"] is True


def test_the_folder_is_closed_but_for_the_way_to_postgres(layout: Layout) -> None:
    assert layout.root.stat().st_mode & 0o777 == 0o711
    for folder in (layout.run, layout.tls, layout.keys, layout.logs, layout.stripe):
        assert folder.stat().st_mode & 0o777 == 0o700
