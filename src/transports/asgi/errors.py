"""What is wrong with how an application has a chat in it."""

from chatcore.errors import ChatError


class NotServing(ChatError):
    """It was asked for something outside of its lifespan."""

    def __init__(self) -> None:
        super().__init__(
            "This ChatApp does not serve: it was not started. As the whole application "
            "it needs a server with lifespan on; within another, that one's lifespan "
            "has to have: async with chat_app.serving(): yield"
        )


class AlreadyServing(ChatError):
    """It was started a second time while it serves."""

    def __init__(self) -> None:
        super().__init__(
            "This ChatApp serves already: either its own lifespan or serving() starts "
            "it, and not both."
        )


class WorkersSplit(ChatError):
    """Another worker process has a chat in memory, of which this one knows nothing."""

    def __init__(self, worker: int) -> None:
        self.worker = worker
        super().__init__(
            f"Another worker of this server, process {worker}, has its own chat in "
            "memory: who is on one would not reach who is on the other. Run one worker "
            "(--workers 1, WEB_CONCURRENCY=1)."
        )
