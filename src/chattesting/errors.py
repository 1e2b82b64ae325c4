"""What is wrong with how a test uses its chat."""


class WrongEventLoop(RuntimeError):
    """A chat was used on another event loop than the one that it runs on.

    There it would wait for ever: its links do not cross from one loop to another.
    """

    def __init__(self) -> None:
        super().__init__(
            "This chat was used on another event loop than its own. With "
            "pytest-asyncio, give the fixture that uses it the loop_scope of the test; "
            "and let a test be run by pytest-asyncio or anyio, not by both."
        )


class StillBusy(RuntimeError):
    """A chat did not end: something that the application gave it does not return.

    It was ended by force. What waits in the application goes with the event loop.
    """

    def __init__(self, within_s: float) -> None:
        super().__init__(
            f"This chat did not end within {within_s:g} s: something that it was given "
            "(policy, credentials, store) has not returned."
        )
