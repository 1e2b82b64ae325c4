"""Futures that somebody waits for, or nobody does any more."""

import asyncio


def wake(waiter: "asyncio.Future[None] | None") -> None:
    """Have who waits for it go on, if somebody does."""
    if waiter is not None and not waiter.done():
        waiter.set_result(None)
