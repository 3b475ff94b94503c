"""Becomes another program that dies with its parent; run as a script, before anything is imported.

The supervisor starts each child through this file. It asks the kernel for a signal when the parent
dies, steps down from root where the program refuses to be root (Postgres), and replaces itself by
the program. A script of its own rather than a `preexec_fn`: that one runs between fork and exec in
a process that has threads.
"""

import argparse
import ctypes
import os
import pwd
import sys
from typing import NoReturn

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE = 1
_PARENT_GONE_STATUS = 125


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilityData(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def _checked(outcome: int, what: str) -> None:
    if outcome != 0:
        error_number = ctypes.get_errno()
        raise OSError(error_number, f"{what}: {os.strerror(error_number)}")


def _step_down(libc: ctypes.CDLL, user: str, *, reach_private_folders: bool) -> None:
    """Become the user; keep only what is needed to walk through folders closed to others.

    A checkout in a private home is the usual case: its folders stay closed, one process may pass.
    """
    entry = pwd.getpwnam(user)
    if reach_private_folders:
        _checked(libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0), "prctl(PR_SET_KEEPCAPS)")
    os.setgroups([])
    os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
    os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)
    if reach_private_folders:
        bit = 1 << _CAP_DAC_OVERRIDE
        header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)
        data = (_CapabilityData * 2)(_CapabilityData(bit, bit, bit), _CapabilityData(0, 0, 0))
        _checked(libc.capset(ctypes.byref(header), ctypes.byref(data)), "capset")
        raised = libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)
        _checked(raised, "prctl(PR_CAP_AMBIENT)")


def main(argv: list[str]) -> NoReturn:
    """Prepare this process as the options say and become the program."""
    parser = argparse.ArgumentParser(prog="launch")
    parser.add_argument("--parent-pid", type=int, required=True)
    parser.add_argument("--death-signal", type=int, required=True)
    parser.add_argument("--user", default="")
    parser.add_argument("--reach-private-folders", action="store_true")
    parser.add_argument("program", nargs=argparse.REMAINDER)
    options = parser.parse_args(argv)
    program = options.program[1:]  # the first is the "--" that ends the options
    libc = ctypes.CDLL(None, use_errno=True)
    if options.user:
        _step_down(libc, options.user, reach_private_folders=options.reach_private_folders)
    # Last, because a change of user clears it.
    _checked(libc.prctl(_PR_SET_PDEATHSIG, options.death_signal, 0, 0, 0), "prctl(PDEATHSIG)")
    if os.getppid() != options.parent_pid:
        sys.exit(_PARENT_GONE_STATUS)
    os.execv(program[0], program)  # noqa: S606  (no shell is the point)


if __name__ == "__main__":
    main(sys.argv[1:])
