"""Running a coroutine at once as far as it goes, and the rest of it in a task.

Most work never has to wait: as a plain call it costs a fraction of a task. Python 3.12
has eager tasks for that, and still makes a task each time.
"""

from collections.abc import Awaitable, Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Rest(Generic[T]):
    """What is left of a coroutine that waits; to be awaited once."""

    def __init__(self, coroutine: Coroutine[Any, Any, T], awaited: object) -> None:
        self._coroutine = coroutine
        self._awaited = awaited

    def __await__(self) -> Generator[Any, Any, T]:
        """Hand over what it waits for, and go on with what that has brought."""
        awaited = self._awaited
        while True:
            failure: BaseException | None = None
            value: Any = None
            try:
                value = yield awaited
            except BaseException as error:  # noqa: BLE001  # it is the coroutine's
                failure = error
            try:
                if failure is None:
                    awaited = self._coroutine.send(value)
                else:
                    awaited = self._coroutine.throw(failure)
            except StopIteration as end:
                result: T = end.value
                return result


def run_at_once(coroutine: Coroutine[Any, Any, T]) -> Awaitable[T] | None:
    """Run it until it first waits; what is left then, None when it has ended.

    Until then it runs outside of any task: what asks for the current one, such as
    ``asyncio.timeout``, cannot be in there. What it raises until then is raised here.
    """
    try:
        awaited = coroutine.send(None)
    except StopIteration:
        return None
    return Rest(coroutine, awaited)
