"""CodeShip behind the `CIProvider` port: sends what `codeship_wire` asks for, and tries again what may be repeated.

It decides nothing about builds, and logs nothing: what goes wrong is raised, always as a `CIError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

from bot.ci import codeship_wire as wire
from bot.ci.answers import Request, retry_after_s
from bot.ci.codeship_pages import WEB_URL, recognise
from bot.ci.exchange import Exchange
from bot.core.errors import CIError, NoAnswer, OverLimit, Unreachable
from bot.core.model import Build, Project

_PAUSES_S = (0.5, 1.0)  # before the second and the third try, at most

_PASSING = (Unreachable, NoAnswer, OverLimit)

_T = TypeVar("_T")
_Read = Callable[[int, Mapping[str, str], bytes], _T]

Observe = Callable[[str, str, float], None]
"""Called once a try with the call (`projects`, `builds`, `restart`), `ok` or the error's class name, and seconds."""


BeforeTry = Callable[[str], None]
"""Called with the call before every request that goes out, redirects too. Where it raises OverLimit, none does."""

AfterTry = Callable[[CIError | None], None]
"""Called once a try with its failure, None where it went well."""


def _unobserved(call: str, result: str, seconds: float) -> None:
    pass


def _may(call: str) -> None:
    pass


def _untold(failure: CIError | None) -> None:
    pass


class CodeShip:
    """A host that serves CodeShip's v1 API.

    `total_s` bounds each call with all its tries. `wait`, `monotonic` and `random` (from 0 to 1) come from outside;
    proxy and CA bundle from `environ` (`HTTPS_PROXY`, `NO_PROXY`, `REQUESTS_CA_BUNDLE`, `SSL_CERT_FILE`, …).
    """

    service = wire.SERVICE
    title = wire.TITLE

    def __init__(
        self,
        api_url: str,
        api_key: str,
        *,
        wait: Callable[[float], None],
        monotonic: Callable[[], float],
        random: Callable[[], float],
        environ: Mapping[str, str],
        web_url: str = WEB_URL,
        workers: int = 64,
        connect_s: float = 3.05,
        read_s: float = 6.0,
        total_s: float = 12.0,
        max_list_bytes: int = 64 * 1024 * 1024,
        max_bytes: int = 4 * 1024 * 1024,
        observe: Observe = _unobserved,
        before_try: BeforeTry = _may,
        after_try: AfterTry = _untold,
    ) -> None:
        self._api_url, self._key, self._web_url = api_url, api_key, web_url
        self._wait, self._monotonic, self._random, self._observe = wait, monotonic, random, observe
        self._before_try, self._after_try = before_try, after_try
        self._total_s, self._max_list_bytes, self._max_bytes = total_s, max_list_bytes, max_bytes
        self._exchange = Exchange(
            self.title,
            api_url,
            environ=environ,
            workers=workers,
            connect_s=connect_s,
            read_s=read_s,
            monotonic=monotonic,
        )

    def projects(self) -> list[Project]:
        request = wire.projects_request(self._api_url, self._key)
        read = partial(wire.decipher_projects, web_url=self._web_url, key=self._key)
        return self._ask("projects", request, read, self._max_list_bytes)

    def builds(self, project: Project, branch: str | None = None) -> list[Build]:
        request = wire.builds_request(self._api_url, self._key, project.id, branch)
        read = partial(wire.decipher_builds, project=project, web_url=self._web_url, key=self._key)
        return self._ask("builds", request, read, self._max_bytes)

    def restart(self, build: Build) -> str:
        request = wire.restart_request(self._api_url, self._key, build.id)
        self._before_try("restart")
        began = self._monotonic()
        try:
            answer = self._exchange.answer_once(request, until=began + self._total_s, max_bytes=self._max_bytes)
            # The head alone tells whether it took: a body that was cut off, or is too large, changes nothing.
            new_id = wire.decipher_restart(answer.status, answer.headers, answer.body, key=self._key)
        except CIError as error:
            self._tell("restart", error, began)
            raise
        self._tell("restart", None, began)
        return new_id or build.id

    def recognise(self, url: str) -> tuple[str, str | None] | None:
        return recognise(url, self._web_url)

    def close(self) -> None:
        """Closes the kept connections. Calls under way end as they will."""
        self._exchange.close()

    def _ask(self, call: str, request: Request, read: _Read[_T], max_bytes: int) -> _T:
        until = self._monotonic() + self._total_s
        before_each = partial(self._before_try, call)
        failed: CIError | None = None
        for longest_pause_s in (*_PAUSES_S, None):
            try:
                before_each()
            except OverLimit as refusal:  # of no further try: then what came of the one before tells more
                raise refusal if failed is None or isinstance(failed, OverLimit) else failed from None
            began = self._monotonic()
            outcome, asked_s = self._once(request, read, until, max_bytes, before_each)
            if not isinstance(outcome, CIError):
                self._tell(call, None, began)
                return outcome
            failed = outcome
            self._tell(call, outcome, began)
            if longest_pause_s is None or not isinstance(outcome, _PASSING):
                raise outcome
            # Many who failed together are not to come back together: anything from nothing to the longest.
            pause = max(self._random() * longest_pause_s, asked_s or 0.0)
            if self._monotonic() + pause >= until:
                raise outcome
            self._wait(pause)
        raise AssertionError("the last try returns or raises")

    def _once(
        self, request: Request, read: _Read[_T], until: float, max_bytes: int, before_onward: Callable[[], None]
    ) -> tuple[_T | CIError, float | None]:
        """What came of one try, and how many seconds the host asks to wait before the next."""
        try:
            answer = self._exchange.answer_to(request, until=until, max_bytes=max_bytes, before_onward=before_onward)
        except CIError as error:
            return error, None
        try:
            if answer.is_success and answer.flaw is not None:
                return answer.flaw, None
            return read(answer.status, answer.headers, answer.body), None
        except CIError as error:
            return error, retry_after_s(answer.headers)

    def _tell(self, call: str, error: CIError | None, began: float) -> None:
        self._after_try(error)
        self._observe(call, "ok" if error is None else type(error).__name__, self._monotonic() - began)
