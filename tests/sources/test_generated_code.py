"""Generated code is current, and lives beside anybody else's copy of Cilium's messages."""

import subprocess
import sys

import pytest
from google.protobuf.internal import api_implementation

from tools.gen_proto import HOME, PROTO, stamp
from workers.sources.hubble_pb import triage_hubble_pb2 as pb


@pytest.mark.parametrize("name", ["triage_hubble_pb2.py", "triage_hubble_pb2.pyi"])
def test_it_was_generated_from_the_proto_as_it_stands(name: str) -> None:
    first_line = (HOME / name).read_text("utf-8").splitlines(keepends=True)[0]
    assert first_line == stamp(PROTO.read_bytes()), "run tools/gen_proto.py and commit what it writes"


def test_its_package_is_not_ciliums() -> None:
    assert pb.Flow.DESCRIPTOR.file.package == "cilium_triage.hubble"
    assert pb.Flow.DESCRIPTOR.file.name == "triage_hubble.proto"


def test_field_numbers_are_those_on_the_wire() -> None:
    numbers = {field.name: field.number for field in pb.Flow.DESCRIPTOR.fields}
    assert (numbers["time"], numbers["Type"], numbers["is_reply"], numbers["ingress_denied_by"]) == (1, 10, 26, 21005)


def test_the_fast_implementation_is_in_use() -> None:
    assert api_implementation.Type() == "upb"


def test_opening_a_live_source_loads_no_client() -> None:
    script = (
        "import sys; from workers.sources.live import open_live; open_live().close();"
        "print(sorted({'kubernetes', 'grpc', 'google', 'aiohttp', 'urllib3'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == "[]"
