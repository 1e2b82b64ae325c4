"""Makes Markdown of the one thing in our docstrings that is not: ``::`` before a block.

mkdocstrings loads it; see ``properdocs.yml``.
"""

import re
from typing import Any, Final

from griffe import Extension, Object

_BEFORE_A_BLOCK: Final = re.compile(r"::\n(?=\n? {4})")


class IndentedBlocks(Extension):
    """A block that is indented after ``::`` is one in Markdown, without the sign."""

    def on_instance(self, *, obj: Object, **_: Any) -> None:  # noqa: ANN401  # griffe's
        """See ``griffe.Extension``."""
        if obj.docstring is not None:
            obj.docstring.value = _BEFORE_A_BLOCK.sub(":\n", obj.docstring.value)
