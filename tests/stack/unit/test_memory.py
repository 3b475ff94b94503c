import os
import subprocess
import sys

from stack.memory import memory_bytes_of, memory_bytes_of_trees


def test_a_tree_weighs_at_least_its_root_and_its_child() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        own = memory_bytes_of(os.getpid())
        assert own > 1_000_000
        tree = memory_bytes_of_trees([os.getpid()])[os.getpid()]
        assert tree > own * 0.9
    finally:
        child.communicate(b"\n")


def test_a_process_that_is_gone_weighs_nothing() -> None:
    assert memory_bytes_of(2**22 + 1) == 0
