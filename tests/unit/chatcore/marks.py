"""The rule mark, for tests that also run where pytest is not installed."""

from collections.abc import Callable
from typing import TypeVar

Decorated = TypeVar("Decorated", bound=Callable[..., object])

try:
    import pytest
except ImportError:

    def rule(*_names: str) -> Callable[[Decorated], Decorated]:
        """Leave the test as it is: nothing collects the marks here."""
        return lambda test: test

else:

    def rule(*names: str) -> Callable[[Decorated], Decorated]:
        """Mark a test or a class of tests as showing these rules of the design."""
        return pytest.mark.rule(*names)
