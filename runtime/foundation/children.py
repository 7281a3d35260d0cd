"""Child processes that never outlive their parent."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1


def _die_with(parent: int, death: signal.Signals) -> Callable[[], None]:
    """Code for the child, between fork and exec: have the kernel signal it when *parent* is gone."""
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

    def arrange() -> None:
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, death)
            if os.getppid() != parent:  # it died before we asked
                os._exit(1)

    return arrange


def spawn(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    pass_fds: Sequence[int] = (),
    stdin: int | IO[bytes] | None = subprocess.DEVNULL,
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = None,
    death: signal.Signals = signal.SIGKILL,
) -> "subprocess.Popen[bytes]":
    """
    Start *command* in a process group of its own, to be signalled *death* when this process dies.

    The kernel counts the *thread* that forks as the parent, so call this from a thread that lives as long
    as the process should: the main thread, in practice. A process group of its own keeps the terminal's
    Ctrl-C away: the parent decides when a child stops.

    Raises FileNotFoundError when the program does not exist.
    """
    return subprocess.Popen(
        list(command),
        env=None if env is None else dict(env),
        cwd=cwd,
        pass_fds=tuple(pass_fds),
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        close_fds=True,
        start_new_session=True,
        preexec_fn=_die_with(os.getpid(), death),
    )


def end(process: "subprocess.Popen[bytes]", *, patience: float) -> int:
    """Ask *process* to end (SIGTERM), insist after *patience* seconds (SIGKILL), and reap it."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()
