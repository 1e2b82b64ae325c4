"""``serve --metrics``: metrics and health by HTTP, on a port of their own.

It answers from before the store is opened until after it is closed, so that whoever
watches sees a server start and stop.
"""

import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from http import HTTPStatus

from chatapp.exposure import is_on_loopback
from chatapp.health import Health
from chatapp.metrics import MetricsPage, ServerCollector
from chatcore import Chat
from chatcore.ports import Environment
from transports.http_messages import HttpResponse
from transports.http_server import serve_http
from transports.memory_budget import MemoryBudget
from transports.task_group import plain_task_group

_log = logging.getLogger(__name__)


class Monitoring:
    """What is answered by HTTP.

    Attributes:
        url: where, without a path.
    """

    def __init__(self, health: Health) -> None:
        self._health = health
        self._page: MetricsPage | None = None
        self.url = ""

    def begin(
        self,
        chat: Chat,
        urls: Iterable[str],
        memory_budget: MemoryBudget,
        environment: Environment,
    ) -> None:
        """Take note that the store is open and these URLs accept."""
        schemes = [url.partition(":")[0] for url in urls]
        self._page = MetricsPage(
            ServerCollector(
                chat, schemes, memory_budget, self._health, environment.passwords
            )
        )
        self._health.begin(chat)

    def stop(self) -> None:
        """Take note that the server stops: it is not ready from now on."""
        self._health.stop()

    async def live(self) -> HttpResponse:
        """``/livez``: whoever answers is alive."""
        return HttpResponse(body=b"alive\n")

    async def ready(self) -> HttpResponse:
        """``/readyz``: 200, or 503 and why not."""
        problem = self._health.problem
        if problem:
            return _unavailable(f"not ready: {problem}\n")
        return HttpResponse(body=b"ready\n")

    async def metrics(self) -> HttpResponse:
        """``/metrics``: those of the server, once it has started."""
        if self._page is None:
            return _unavailable("There are no metrics yet: the server is starting.\n")
        return await self._page.answer()


@asynccontextmanager
async def monitoring(
    host: str, port: int, health: Health | None = None
) -> AsyncIterator[Monitoring]:
    """Answer while the block runs, and watch the store and the event loop meanwhile.

    Raises:
        CannotListen: the machine does not give the address.
    """
    health = health or Health()
    answers = Monitoring(health)
    routes = {
        "/livez": answers.live,
        "/readyz": answers.ready,
        "/metrics": answers.metrics,
    }
    async with serve_http(host, port, routes) as url, plain_task_group() as tasks:
        answers.url = url
        watching = [
            tasks.create_task(health.watch_store()),
            tasks.create_task(health.watch_loop()),
        ]
        if not is_on_loopback(url):
            _log.warning("Metrics at %s can be read by whoever can reach it", url)
        try:
            yield answers
        finally:
            for task in watching:
                task.cancel()


def _unavailable(text: str) -> HttpResponse:
    return HttpResponse(status=HTTPStatus.SERVICE_UNAVAILABLE, body=text.encode())
