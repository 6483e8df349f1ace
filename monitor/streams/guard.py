"""Runs a command that must not outlive its parent; the embedded server is started through this.

    python guard.py PARENT_PID COMMAND [ARGUMENT...]

Linux: asks the kernel for SIGTERM when the parent dies, then becomes the command. SIGTERM and not SIGKILL, so that the
server writes its log to the end. Elsewhere: stays between the two, and ends the command when its own standard input,
a pipe from the parent, comes to its end. Not a hook between fork and exec, which is unsafe beside threads.

This file is run by its path, with nothing but the standard library.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading

PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Have SIGTERM sent to this process, and to what it becomes, when its parent is gone."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) was refused")
    if os.getppid() != parent:  # it died before we asked, and no signal will come
        raise SystemExit(1)


def watch(command: list[str]) -> int:
    """Run the command; end it when standard input ends or SIGTERM comes. Return its exit code."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, close_fds=False)  # noqa: S603 - the command is ours
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())

    def end_with_input() -> None:
        sys.stdin.buffer.read()
        child.terminate()

    threading.Thread(target=end_with_input, daemon=True).start()
    return child.wait()


def main() -> None:
    """Become, or watch, the command on the command line."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        die_with(parent)
        os.execv(command[0], command)  # noqa: S606 - the command is ours, without a shell
    raise SystemExit(watch(command))


if __name__ == "__main__":
    main()
