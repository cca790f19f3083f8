"""Generate ``workers/sources/hubble_pb/triage_hubble_pb2.py`` and its stub from ``triage_hubble.proto``.

Run it after a change of the ``.proto`` and commit what it writes. The compiler lives in a throw-away environment: it
needs an older protobuf than the project runs with, and code of that compiler runs on every protobuf the project allows
(https://protobuf.dev/support/cross-version-runtime-guarantee/).
"""

import hashlib
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

GRPC_TOOLS = "grpcio-tools==1.80.0"
HOME = Path(__file__).resolve().parents[1] / "workers" / "sources" / "hubble_pb"
PROTO = HOME / "triage_hubble.proto"
STAMP = "# sha256 of triage_hubble.proto: "


def stamp(proto: bytes) -> str:
    """Return the line that ties generated code to its source."""
    return f"{STAMP}{hashlib.sha256(proto).hexdigest()}\n"


def generate() -> None:
    """Write the generated module and its stub beside the ``.proto``.

    Raises:
        subprocess.CalledProcessError: if the compiler cannot be installed, or refuses the file.
    """
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / ("Scripts" if sys.platform == "win32" else "bin") / "python"
        # setuptools: the compiler of that version still imports pkg_resources.
        packages = [GRPC_TOOLS, "setuptools<81"]
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)  # noqa: S603
        subprocess.run(  # noqa: S603
            [python, "-m", "grpc_tools.protoc", f"-I{HOME}", f"--python_out={HOME}", f"--pyi_out={HOME}", PROTO.name],
            check=True,
            cwd=HOME,
        )
    for name in ("triage_hubble_pb2.py", "triage_hubble_pb2.pyi"):
        path = HOME / name
        path.write_text(stamp(PROTO.read_bytes()) + path.read_text("utf-8"), "utf-8")


if __name__ == "__main__":
    generate()
