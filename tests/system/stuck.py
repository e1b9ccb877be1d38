"""A program that does not stop when it is told to, as one in the middle of an endless step: `python -m stuck FOLDER`."""

import signal
import sys
import time
from pathlib import Path

from kithe.launch.signals import SIGNALS, release

for number in SIGNALS:
    signal.signal(number, signal.SIG_IGN)
release()
Path(sys.argv[1], "begun").touch()
time.sleep(600)
