"""Source lines are counted, not believed."""

from chatbench.source_lines import code_lines, count_source_lines

MODULE = '''"""A module.

Its docstring has three lines.
"""

# A comment.
from typing import Final  # with a comment behind it

LIMIT: Final = """not a
docstring"""
"""A docstring of an attribute."""


class Thing:
    """A class."""

    def do(
        self,
    ) -> int:
        """Do it."""

        return 1
'''


def test_blank_lines_comments_and_docstrings_are_no_code() -> None:
    lines = code_lines(MODULE)

    assert lines == 8


def test_every_transport_of_ours_is_counted() -> None:
    counted = count_source_lines()

    assert list(counted) == ["tcp", "websocket", "grpc"]
    assert all(it.transport > 0 for it in counted.values())


def test_framing_is_counted_where_no_library_does_it() -> None:
    counted = count_source_lines()

    assert counted["tcp"].framing > 0
    assert counted["websocket"].framing == counted["grpc"].framing == 0


def test_a_service_is_counted_for_grpc_alone() -> None:
    counted = count_source_lines()

    # Ten methods, their braces, and a message that only a unary call has.
    assert counted["grpc"].schema == 13
    assert counted["grpc"].generated > 0
    assert 0 < counted["grpc"].unary < counted["grpc"].transport
    for other in ("tcp", "websocket"):
        lines = counted[other]
        assert (lines.schema, lines.generated, lines.unary) == (0, 0, 0)
