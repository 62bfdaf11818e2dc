"""One stage under DVC, as `dvc repro --single-item` runs it, but never broken off while DVC writes."""

import signal
import sys


def main(stage: str) -> None:
    """Bring one stage up to date and exit with DVC's status.

    A signal that asks for the end is not obeyed here: it also ends the stage's command, of which DVC then
    fails by itself, with its locks released and its files whole.

    Args:
        stage: its address in the current folder, such as `train@tiny-4.3-1x4`.
    """
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    from dvc.cli import main as dvc

    sys.exit(dvc(["--wait-for-lock", "repro", "--single-item", stage]))


if __name__ == "__main__":
    main(sys.argv[1])
