"""A program that saves and ends when it is told to, and is done when it is started again: `python -m patient FOLDER`."""

import sys
import time
from pathlib import Path

from kithe.launch.signals import AGAIN, StopFlag
from kithe.store import Folder

folder = Path(sys.argv[1])
stop = StopFlag().listen()
if (folder / "saved").exists():
    Folder(folder).mark("done")
    sys.exit()
(folder / "begun").touch()
while not stop():
    time.sleep(0.05)
(folder / "saved").touch()
sys.exit(AGAIN)
