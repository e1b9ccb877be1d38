"""The web app: one person a token, one task a page, every answer on disk before the next page comes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kithe.annotation import label_studio, pages
from kithe.annotation.book import Label
from kithe.annotation.desk import Desk, following
from kithe.annotation.exchange import lines
from kithe.annotation.figures import results
from kithe.annotation.package import Task
from kithe.errors import ConfigError
from kithe.evaluation.judging.validation import ADJUDICATOR
from kithe.evaluation.judging.verdicts import Verdict

HOSTS: Final = ("127.0.0.1", "localhost")
LONGEST_NOTE: Final = 2000
LONGEST_BODY: Final = 65536
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Headers:
    """Puts the same headers on every answer."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and add the headers to what comes back."""

        async def adding(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                names = {name for name, _ in own}
                message["headers"] = [*(pair for pair in message["headers"] if pair[0].lower() not in names), *own]
            await send(message)

        await self.app(scope, receive, adding)


@dataclass(frozen=True)
class Site:
    """The handlers of one package.

    Attributes:
        desk: the package with its people and labels.
        verdicts: of the run's judge, shown beside people's labels to the adjudicator.
        resamples: of the bootstraps on the results page.
    """

    desk: Desk
    verdicts: Sequence[Verdict] = ()
    resamples: int = 2000

    @property
    def cookie(self) -> str:
        """A name of its own for every package, since all servers of a host share the browser's cookies."""
        return f"kithe_{self.desk.package.digest}"

    def app(self) -> Starlette:
        """The ASGI application."""
        routes = [
            Route("/enter/{token}", self.enter),
            Route("/", self.home),
            Route("/task/{key}", self.task),
            Route("/task/{key}", self.save, methods=["POST"]),
            Route("/list", self.list),
            Route("/results", self.results),
            Route("/labels.jsonl", self.jsonl),
            Route("/label_studio.json", self.label_studio),
            Route("/label_studio.xml", self.label_studio_config),
            Mount("/static", StaticFiles(directory=Path(__file__).parent / "static")),
        ]
        return Starlette(
            routes=routes,
            middleware=[Middleware(Headers), Middleware(TrustedHostMiddleware, allowed_hosts=list(HOSTS))],
            exception_handlers={HTTPException: failed, Exception: failed},
        )

    def enter(self, request: Request) -> Response:
        """Take a link's token into a cookie, so that it stands in no address afterwards."""
        token = request.path_params["token"]
        if self.desk.people.of(token) is None:
            raise HTTPException(403, "This link is not valid. Ask whoever sent it for a new one.")
        answer = RedirectResponse("/", 303)
        answer.set_cookie(self.cookie, token, httponly=True, samesite="lax")
        return answer

    def home(self, request: Request) -> Response:
        """The next open task, or the list when all are done."""
        person = self.person(request)
        task = following(self.desk.tasks(person), self.desk.own(person))
        start = "/results" if person == ADJUDICATOR else "/list"
        return RedirectResponse(f"/task/{task.key}" if task and person != ADJUDICATOR else start, 303)

    def task(self, request: Request) -> Response:
        """One task."""
        person = self.person(request)
        return HTMLResponse(self.page(person, self.find(request, person)))

    async def save(self, request: Request) -> Response:
        """Keep an answer; the next open task comes back."""
        self.own_page(request)
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > LONGEST_BODY:
                raise HTTPException(413, f"An answer has at most {LONGEST_BODY} bytes.")
        words = dict(parse_qsl(body.decode("utf-8", "replace")))
        return await run_in_threadpool(self.keep, request, words)

    def keep(self, request: Request, words: dict[str, str]) -> Response:
        """Check an answer and write it down."""
        person = self.person(request)
        task, script = self.find(request, person), "application/json" in request.headers.get("accept", "")
        if words.get("person", person) != person:
            raise HTTPException(409, f"This page was opened by somebody else; you are now {person}. Reload it and answer again.")
        note = words.get("note", "").strip()
        if words.get("all") and self.desk.form.accept:
            words |= {question.name: question.options[0].word for question in self.desk.form.questions}
        try:
            answers = self.desk.form.read(words)
            if len(note) > LONGEST_NOTE:
                raise ConfigError(f"the note has {len(note)} characters; at most {LONGEST_NOTE}")
        except ConfigError as error:
            if script:
                raise HTTPException(422, str(error)) from None
            return HTMLResponse(self.page(person, task, str(error)), 422)
        self.desk.book.add([Label(task.id, person, answers, note)])
        later = following(self.desk.tasks(person), self.desk.own(person), task.id)
        address = f"/task/{later.key}" if later else "/list"
        return JSONResponse({"next": address}) if script else RedirectResponse(address, 303)

    def list(self, request: Request) -> Response:
        """Everything a person is asked, with what they said."""
        person = self.person(request)
        return HTMLResponse(pages.list_page(self.desk, person, self.desk.tasks(person), self.desk.own(person)))

    def results(self, request: Request) -> Response:
        """Agreement and figures."""
        self.adjudicator(request)
        labels, tasks = self.desk.book.labels(), self.desk.tasks(ADJUDICATOR)
        people = [(name, len(self.desk.own(name)), len(self.desk.tasks(name))) for name in self.desk.people.names]
        sections = results(self.desk.package, labels, self.verdicts, self.resamples)
        return HTMLResponse(pages.results_page(self.desk, tasks, self.desk.own(ADJUDICATOR), sections, people))

    def jsonl(self, request: Request) -> Response:
        """All labels as JSON lines."""
        self.adjudicator(request)
        found = lines(self.desk.package, self.desk.book.labels())
        return PlainTextResponse("".join(f"{line}\n" for line in found), media_type="application/jsonl")

    def label_studio(self, request: Request) -> Response:
        """All labels in Label Studio's JSON."""
        self.adjudicator(request)
        return JSONResponse(label_studio.tasks(self.desk.package, self.desk.book.labels()))

    def label_studio_config(self, request: Request) -> Response:
        """The labeling configuration that belongs to them."""
        self.adjudicator(request)
        return PlainTextResponse(label_studio.config(self.desk.package), media_type="application/xml")

    def page(self, person: str, task: Task, problem: str = "") -> str:
        """A task's page."""
        return pages.task_page(self.desk, person, task, self.desk.tasks(person), self.desk.own(person), problem)

    def person(self, request: Request) -> str:
        """Who asks."""
        found = self.desk.people.of(request.cookies.get(self.cookie, ""))
        if found is None:
            raise HTTPException(403, "Open the link that you were given; this address alone does not say who you are.")
        return found

    def adjudicator(self, request: Request) -> None:
        """Refuse everybody else."""
        if self.person(request) != ADJUDICATOR:
            raise HTTPException(403, "Only the adjudicator sees this, so that annotators stay blind to each other.")

    def find(self, request: Request, person: str) -> Task:
        """The task of an address, if it is this person's."""
        found = self.desk.package.by_key.get(request.path_params["key"])
        if found is None:
            raise HTTPException(404, "There is no such task.")
        if found not in self.desk.tasks(person) and (person != ADJUDICATOR or found.id not in self.desk.own(person)):
            raise HTTPException(403, "This task is somebody else's, or there is nothing to settle about it.")
        return found

    def own_page(self, request: Request) -> None:
        """Refuse a form that another site sends."""
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
            raise HTTPException(403, "Answers are taken from this site's own pages only.")


def failed(request: Request, error: Exception) -> Response:
    """One sentence, as a page or for a script."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    text = str(error.detail) if isinstance(error, HTTPException) else "Something went wrong here; nothing that was saved is lost."
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse({"problem": text}, status, HEADERS)
    titles = {403: "Not for you", 404: "Not found", 409: "Somebody else's page", 405: "Not this way"}
    return HTMLResponse(pages.message_page(titles.get(status, "That did not work"), text), status, HEADERS)
