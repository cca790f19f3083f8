"""What lines of an agent's log mean: read in every form, told with the names that they give, and never by a guess."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.agents.log_lines import MOST_SHOWN, log_lines
from handlers.agents.troubles import TROUBLES, troubles_in


def fatal(message: str, error: str = "") -> str:
    quoted = error.replace('"', '\\"')
    return f'time=2026-11-21T12:00:00.1Z level=fatal msg="{message}"' + (f' error="{quoted}"' if error else "")


BAD_VALUE = 'option kube-proxy-replacement: strconv.ParseBool: parsing "strict": invalid syntax'
TOLD = {
    "a value of another version": (fatal("Incorrect config-map flag value", BAD_VALUE), "config-value", "strict"),
    "the key of it": (fatal("Incorrect config-map flag value", BAD_VALUE), "config-value", "kube-proxy-replacement"),
    "the key alone, as older ones write it": (fatal("Incorrect config-map flag tunnel"), "config-value", "tunnel"),
    "an argument of another version": ("Error: unknown flag: --enable-cool-thing", "flag", "--enable-cool-thing"),
    "settings that exclude each other": (
        fatal("invalid daemon configuration: native routing needs a CIDR"),
        "config-conflict",
        "native routing needs a CIDR",
    ),
    "an old kernel": (
        fatal("System requirements not met", "Require support for bpf_redirect_peer() (Linux 5.10.0 or newer)"),
        "kernel",
        "Linux 5.10.0 or newer",
    ),
    "no bpffs": (fatal("Unable to mount BPF filesystem", "permission denied"), "bpffs", "not mounted"),
    "no way to the API server": (
        'level=error msg="Unable to contact k8s api-server" ipAddr=https://10.0.0.1:443 error="i/o timeout"',
        "api-server",
        "API server",
    ),
    "a lost API server": (
        'level=warn msg="Heartbeat timed out, restarting client connections"',
        "api-server-lost",
        "status may still say Ok",
    ),
    "a refused call": (
        'E1121 14:48:27.123456       1 reflector.go:205] "Failed to list" '
        'err="pods is forbidden: User \\"cilium\\" cannot list resource \\"pods\\""',
        "api-rights",
        "forbidden",
    ),
    "no kvstore": (fatal("Unable to setup kvstore", "timed out"), "kvstore", "key-value store"),
    "a full policy map": (
        'level=error msg="Failed to add PolicyMap key" error="update: no space left on device"',
        "policy-map",
        "policy map is full",
    ),
    "no addresses": ('level=warning msg="Unable to allocate IP" error="range is full"', "addresses", "no address left"),
    "no CRDs": (fatal("Unable to find all Cilium CRDs necessary within timeout"), "crds", "CRDs"),
    "an old certificate": (
        'level=error msg="Peer" error="x509: certificate has expired or is not yet valid"',
        "certificate",
        "has expired",
    ),
    "a taken port": (fatal("listen tcp 127.0.0.1:9879: bind: address already in use"), "port-taken", ":9879"),
    "another CNI's tunnel": (fatal("creating vxlan device: address already in use"), "tunnel-taken", "another CNI"),
    "a panic": ("panic: runtime error: invalid memory address", "crash", "invalid memory address"),
    "JSON": ('{"level":"fatal","msg":"Could not find BPF map root"}', "bpffs", "not mounted"),
    "a line as the runtime wraps it": (
        f"2026-11-21T12:00:00.2Z stderr F {fatal('Could not find BPF map root')}",
        "bpffs",
        "BPF map root",
    ),
}


@pytest.mark.parametrize(("line", "name", "words"), TOLD.values(), ids=TOLD.keys())
def test_a_line_tells_its_trouble(line: str, name: str, words: str) -> None:
    (told,) = troubles_in(log_lines([line]))
    assert told.trouble.name == name
    assert words.lower() in f"{told.cause} {told.line.text}".lower()
    assert "?" not in str(told.cause)
    assert told.remedy


HARMLESS = {
    "an Envoy that does not run": 'level=error msg="Version check failed" error="dial unix admin.sock: no such file"',
    "a feature that the kernel lacks": 'level=warn msg="Cannot enable --enable-x, needs kernel 6.3 or newer"',
    "information": 'level=info msg="Heartbeat timed out, restarting client connections"',
    "the API server's own etcd": 'level=error msg="watch failed" error="etcdserver: request is too large"',
    "an endpoint whose state is gone": 'level=warn msg="Couldn\'t find state, ignoring endpoint" error="no such file"',
    "nothing": "",
}


@pytest.mark.parametrize("line", HARMLESS.values(), ids=HARMLESS.keys())
def test_what_a_healthy_agent_writes_is_no_trouble(line: str) -> None:
    assert troubles_in(log_lines([line])) == ()


def test_the_newest_trouble_stands_first_and_each_once() -> None:
    lines = [
        'time=2026-11-21T12:00:00Z level=warn msg="Heartbeat timed out, restarting client connections"',
        'time=2026-11-21T12:01:00Z level=warn msg="Heartbeat timed out, restarting client connections"',
        fatal("Unable to mount BPF filesystem"),
    ]
    found = troubles_in(log_lines(lines))
    assert [(one.trouble.name, one.count) for one in found] == [("bpffs", 1), ("api-server-lost", 2)]
    assert found[1].line.at is not None
    assert found[1].line.at.minute == 1


@given(st.text(max_size=300))
def test_any_line_is_read_bounded_and_clean(line: str) -> None:
    (read,) = log_lines([line])
    assert len(read.shown) <= MOST_SHOWN
    assert not any(ord(letter) < 0x20 or "\u202a" <= letter <= "\u202e" for letter in read.text)


@pytest.mark.parametrize("filler", ["a ", "etcd ", "iptables ", "requires ", "vxlan ", '\\"'])
def test_long_lines_of_words_that_troubles_begin_with_tell_nothing(filler: str) -> None:
    assert troubles_in(log_lines([f'level=error msg="{filler * 900}"'] * 100)) == ()


def test_of_a_log_that_is_full_of_errors_the_end_tells_why() -> None:
    lines = [fatal("Unable to mount BPF filesystem"), *['level=error msg="no"'] * 200, "panic: oh"]
    assert [one.trouble.name for one in troubles_in(log_lines(lines))] == ["crash"]


def test_every_trouble_says_what_to_do() -> None:
    assert all(one.cause and one.remedy.endswith(".") for one in TROUBLES)
