"""Lines of these commands: for people, or as JSON for programs."""

import json
from collections.abc import Mapping

from chatapp.sanitize import sanitize


def tell(fields: Mapping[str, object], line: str, *, as_json: bool) -> None:
    """Print ``fields`` as an object, or the line that says the same."""
    print(json.dumps(fields) if as_json else sanitize(line))  # noqa: T201  # its output
