"""How much source each transport needs, counted where it is installed.

Lines of code only: no blank lines, comments or docstrings. What all transports share
(codecs, session driver, the chat) is not counted for any.
"""

import ast
import io
import tokenize
from collections.abc import Iterable
from importlib.resources import files
from typing import Final

from google.protobuf.descriptor import Descriptor, ServiceDescriptor
from google.protobuf.descriptor_pool import Default

from chatbench.contestants import TRANSPORTS
from chatbench.results import SourceLines
from transports.grpc.options import CONVERSE, SERVICE

_FRAMING: Final = "transports.framing"
_GENERATED: Final = "transports.codec._generated"
_UNARY: Final = ("answers", "calls", "session_calls")
"""Modules of ``transports.grpc`` that its stream could do without."""

_NOT_CODE: Final = frozenset(
    {
        tokenize.COMMENT,
        tokenize.DEDENT,
        tokenize.ENCODING,
        tokenize.ENDMARKER,
        tokenize.INDENT,
        tokenize.NEWLINE,
        tokenize.NL,
    }
)


def count_source_lines() -> dict[str, SourceLines]:
    """What each of our transports needs, by its name."""
    return {transport: _count(transport) for transport in TRANSPORTS}


def code_lines(source: str) -> int:
    """The lines of a module that hold code.

    A string that stands by itself is a docstring, also below an attribute.
    """
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NOT_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and _is_text(node.value):
            lines.difference_update(range(node.lineno, (node.end_lineno or 0) + 1))
    return len(lines)


def _is_text(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def _count(transport: str) -> SourceLines:
    sources = _sources(f"transports.{transport}")
    framing = 0
    if any(_imports(it, _FRAMING) for it in sources.values()):
        framing = code_lines(_sources("transports")["framing"])
    is_grpc = transport == "grpc"
    return SourceLines(
        transport=sum(map(code_lines, sources.values())),
        framing=framing,
        schema=_schema_lines() if is_grpc else 0,
        generated=_generated_lines() if is_grpc else 0,
        unary=sum(code_lines(sources[it]) for it in _UNARY) if is_grpc else 0,
    )


def _sources(package: str) -> dict[str, str]:
    """The text of each module of a package, by the module's name."""
    return {
        it.name.removesuffix(".py"): it.read_text("utf-8")
        for it in files(package).iterdir()
        if it.name.endswith(".py")
    }


def _imports(source: str, module: str) -> bool:
    return any(
        isinstance(node, ast.ImportFrom) and node.module == module
        for node in ast.walk(ast.parse(source))
    )


def _schema_lines() -> int:
    """Lines of the schema for the service, and for messages that only it has.

    The wheel has no ``.proto`` file, so they are counted off its descriptor: a line for
    each method and field, and two for the braces around them.
    """
    service = Default().FindServiceByName(SERVICE)
    everywhere = _reached(_frames(service))
    only_here = _reached(_messages(service)) - everywhere
    lines = len(service.methods) + 2
    for name in only_here:
        fields = len(Default().FindMessageTypeByName(name).fields)
        lines += fields + 2 if fields else 1
    return lines


def _frames(service: ServiceDescriptor) -> list[Descriptor]:
    """What every transport carries: the frames of the bidirectional stream."""
    stream = service.methods_by_name[CONVERSE.rpartition("/")[2]]
    return [stream.input_type, stream.output_type]


def _messages(service: ServiceDescriptor) -> list[Descriptor]:
    return [kind for it in service.methods for kind in (it.input_type, it.output_type)]


def _reached(messages: Iterable[Descriptor]) -> set[str]:
    """The full names of these messages and of all that they hold."""
    found: set[str] = set()
    ahead = list(messages)
    while ahead:
        message = ahead.pop()
        if message.full_name not in found:
            found.add(message.full_name)
            ahead += [it.message_type for it in message.fields if it.message_type]
    return found


def _generated_lines() -> int:
    """Generated stubs, and the lines about the service in what all generate.

    Without stubs (its methods are registered by hand) the service takes but the two
    lines that say where it is in the serialised schema.
    """
    stubs, shared = 0, 0
    service = f"['_{SERVICE.rpartition('.')[2].upper()}']"
    for name, source in _sources(_GENERATED).items():
        if name.endswith("_grpc"):
            stubs += code_lines(source)
        else:
            shared += sum(service in line for line in source.splitlines())
    return stubs + shared
