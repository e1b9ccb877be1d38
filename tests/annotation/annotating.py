"""The real server in a process of its own, and people who talk to it over HTTP."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

from kithe.annotation.package import Package, write


class Server:
    """`kithe annotate` on a package; its links as soon as it listens."""

    def __init__(self, folder: Path, package: Package, annotators: str, port: int = 0) -> None:
        file = folder / "given.jsonl"
        write(file, package)
        words = ["--package", str(file), "--store", str(folder), "--port", str(port), "--annotators", annotators]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kithe.cli", "annotate", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.links: dict[str, str] = {}
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if found := re.match(r"\s+(\S+)\s+(http://127\.0\.0\.1:\d+/enter/\S+)", line):
                self.links[found[1]] = found[2]
            if line.startswith("Ctrl-C"):
                break
        else:
            assert self.process.stderr is not None
            raise RuntimeError(self.process.stderr.read())

    @property
    def port(self) -> int:
        return int(next(iter(self.links.values())).split(":")[2].split("/")[0])

    def kill(self) -> None:
        """kill -9."""
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()

    def stop(self) -> int:
        """As Ctrl-C does."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGINT)
        self.process.communicate()
        return self.process.returncode


class Person:
    """Somebody with a browser."""

    def __init__(self, link: str) -> None:
        self.base = link.split("/enter/")[0]
        self.browser: OpenerDirector = build_opener(HTTPCookieProcessor())
        self.browser.open(link).close()

    def answer(self, key: str, **words: str) -> None:
        """Returns once the server says that it is saved."""
        request = Request(f"{self.base}/task/{key}", urlencode(words).encode(), {"Accept": "application/json"})
        with self.browser.open(request) as answer:
            assert b"next" in answer.read()

    def status(self, path: str) -> int:
        try:
            with self.browser.open(self.base + path) as answer:
                return int(answer.status)
        except HTTPError as error:
            return error.code
