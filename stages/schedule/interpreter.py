"""What stands for `python` on a stage's PATH: it hands the command to a preloaded process, if one takes it.

Run by path with `python -IS`, so that it starts in a hundredth of a second; it imports nothing of the
project.
Where no preloaded process answers or takes the command, the interpreter that runs this file runs the command.
"""

import json
import os
import signal
import socket
import struct
import sys
from pathlib import Path

ITEM = "stages.schedule.item"


def main(folder: Path, arguments: list[str]) -> None:
    """Run `python ARGUMENTS`, preloaded or not, and end as it ends."""
    status = handed_over(folder, arguments)
    if status is None:
        os.execv(sys.executable, [sys.executable, *arguments])
    if status < 0:
        if status != -signal.SIGKILL:
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)


def handed_over(folder: Path, arguments: list[str]) -> int | None:
    """Return the exit status of the command in a preloaded process, minus the signal where one ended it.

    Args:
        folder: where the sockets of the preloaded processes are.
        arguments: of `python`.

    Returns:
        None where no such process took the command: then nothing of it has run.
    """
    if len(arguments) < 2 or arguments[0] != "-m" or not arguments[1].startswith("stages."):
        return None
    umask = os.umask(0o077)  # the only way to read it is to set it
    os.umask(umask)
    request = {
        "arguments": arguments,
        "folder": str(Path.cwd()),
        "environment": dict(os.environ),
        "group": os.getpgrp(),
        "umask": umask,
        "cores": sorted(os.sched_getaffinity(0)),
    }
    payload = json.dumps(request).encode()
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.connect(str(folder / ("dvc" if arguments[1] == ITEM else "verbs")))
            socket.send_fds(line, [struct.pack("<I", len(payload))], [0, 1, 2])
            line.sendall(payload)
            if line.recv(1) != b"+":
                return None
            answer = line.recv(4, socket.MSG_WAITALL)
    except (OSError, ValueError):
        return None
    if len(answer) < 4:
        print("the process that ran this was lost with the one that it was forked from", file=sys.stderr)
        return 1
    return int(struct.unpack("<i", answer)[0])


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
