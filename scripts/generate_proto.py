# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = ["grpcio-tools==1.74.0"]
# ///
"""Generate src/transports/codec/_generated from proto/, or check that it is current.

Generated code refuses a protobuf runtime older than its generator, so the generator is
pinned to the oldest one that we support: grpcio-tools 1.74.0 carries protoc 31.1, whose
code runs on protobuf 6.31.1 and later. Run it with that pin::

    uv run --no-project scripts/generate_proto.py [--grpc] [--check]

The virtual path of ``-I`` makes the generated modules import each other by their real
package, so that nothing has to be patched.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
PACKAGE: Final = Path("transports/codec/_generated")
SCHEMA: Final = Path("proto/chat/v1/chat.proto")


def generate(into: Path, *, grpc: bool) -> None:
    """Write the modules of the schema below ``into``; with ``grpc``, its stubs too.

    Raises:
        subprocess.CalledProcessError: the schema is wrong; protoc has said why.
    """
    outputs = [f"--python_out={into}", f"--pyi_out={into}"]
    if grpc:
        outputs.append(f"--grpc_python_out={into}")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "grpc_tools.protoc",
            f"-I{PACKAGE}={SCHEMA.parent}",
            *outputs,
            str(SCHEMA),
        ],
        cwd=ROOT,
        check=True,
    )


def stale(generated: Path) -> list[str]:
    """Names of the files that differ from what is in the source tree."""
    return [
        fresh.name
        for fresh in sorted((generated / PACKAGE).iterdir())
        if not (there := ROOT / "src" / PACKAGE / fresh.name).exists()
        or there.read_bytes() != fresh.read_bytes()
    ]


def main() -> int:
    """Generate or check; 1 when a check finds a difference."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--grpc", action="store_true", help="the service's stubs too")
    parser.add_argument("--check", action="store_true", help="write nothing; compare")
    options = parser.parse_args()
    if not options.check:
        generate(ROOT / "src", grpc=options.grpc)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder), grpc=options.grpc)
        different = stale(Path(folder))
    for name in different:
        print(f"{name} is not what {SCHEMA} generates: run {Path(__file__).name}.")
    return int(bool(different))


if __name__ == "__main__":
    sys.exit(main())
