"""A W&B server on loopback, as much of one as a run needs: it keeps what is sent, and knows a run again."""

import gzip
import json
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class Known:
    """What the server holds of a run."""

    heading: dict[str, Any] = field(default_factory=dict)
    history: dict[int, dict[str, Any]] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    exit_code: int | None = None


class Stub:
    """Runs by id, artifacts by name with the digests that were sent, and saved views."""

    def __init__(self) -> None:
        self.runs: defaultdict[str, Known] = defaultdict(Known)
        self.artifacts: defaultdict[str, list[str]] = defaultdict(list)
        self.views: list[dict[str, Any]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, query: str, given: dict[str, Any]) -> dict[str, Any]:
        """The data of a GraphQL answer."""
        if "upsertBucket" in query:
            name = given["name"]
            self.runs[name].heading |= {key: value for key, value in given.items() if value is not None}
            return {"upsertBucket": {"bucket": self.bucket(name), "inserted": True}}
        if "RunResumeStatus" in query:
            known = given["name"] in self.runs
            return {"model": {**PROJECT, "bucket": self.bucket(given["name"])} if known else None}
        if "createArtifact" in query:
            made = given["input"]
            self.artifacts[made["aliases"][0]["artifactCollectionName"]].append(made["digest"])
            sequence = {"latestArtifact": {"id": "QQ=="}}
            return {"createArtifact": {"artifact": {"id": "QQ==", "state": "COMMITTED", "artifactSequence": sequence}}}
        if "createRunFiles" in query:
            files = [{"name": name, "uploadUrl": f"{self.url}/upload/{name}"} for name in given["files"]]
            return {"createRunFiles": {"runID": "Qg==", "uploadHeaders": [], "files": files}}
        if "upsertView" in query:
            self.views.append(given)
            return {
                "upsertView": {
                    "view": {"id": "Vg==", "name": given.get("name"), "displayName": given.get("displayName")},
                    "inserted": True,
                }
            }
        viewer = {"id": "x", "entity": "me", "username": "me", "email": "", "flags": "{}", "teams": {"edges": []}}
        return {"viewer": viewer, "serverInfo": {"features": [], "cliVersionInfo": {}}, "project": None}

    def bucket(self, name: str) -> dict[str, Any]:
        """A run as GraphQL tells of it."""
        run = self.runs[name]
        last = [json.dumps(run.history[number]) for number in sorted(run.history)[-1:]]
        return {
            "id": "Qg==",
            "name": name,
            "displayName": name,
            "config": run.heading.get("config", "{}"),
            "summaryMetrics": json.dumps(run.summary),
            "logLineCount": 0,
            "historyLineCount": len(run.history),
            "eventsLineCount": 0,
            "historyTail": json.dumps(last),
            "eventsTail": "[]",
            "tags": [],
            "wandbConfig": json.dumps({"t": 1}),
            "sweepName": None,
            "project": PROJECT,
        }

    def stream(self, name: str, sent: dict[str, Any]) -> None:
        """Lines of a run's files."""
        files = sent.get("files") or {}
        for file in ("wandb-history.jsonl", "wandb-summary.json"):
            chunk = files.get(file)
            for number, line in enumerate(chunk["content"] if chunk else ()):
                if file.startswith("wandb-history"):
                    self.runs[name].history[chunk["offset"] + number] = json.loads(line)
                else:
                    self.runs[name].summary = json.loads(line)
        if sent.get("complete"):
            self.runs[name].exit_code = sent["exitcode"]


PROJECT = {"id": "UA==", "name": "proj", "entity": {"id": "RQ==", "name": "me"}}


def handler(stub: Stub) -> type[BaseHTTPRequestHandler]:
    """The server's side of a connection."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *words: object) -> None:
            """Nothing."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            found: dict[str, Any] = {}
            if self.path == "/graphql":
                asked = json.loads(body)
                found = {"data": stub.answer(asked["query"], asked.get("variables") or {})}
            elif self.path.endswith("/file_stream"):
                stub.stream(self.path.split("/")[-2], json.loads(body))
            text = json.dumps(found).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def do_PUT(self) -> None:
            self.do_POST()

    return Handler
