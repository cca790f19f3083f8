"""What clients print when a connection fails, put into the words of a question: what they dialled.

The forms: Go's net.OpError, curl (libcurl's CURLE codes), libpq, Node, Python's urllib3, netcat and getaddrinfo.
"""

import re
from collections.abc import Mapping

_HOST = r"(?P<host>\[[0-9a-fA-F:]+\]|[\w.-]+?)"
_PORT = r"(?P<port>\d{1,5})"

_PASTED = tuple(
    (re.compile(pattern, re.IGNORECASE), words)
    for pattern, words in (
        # The name that was asked for says more than the address that it had.
        (
            rf"\w+ \"?https?://{_HOST}(?::{_PORT})?(?:/[^\s\"]*)?\"?: (?:dial|read|write) (?P<proto>tcp|udp)\b.*",
            "to {host} {on} error",
        ),
        (r"(?:dial \w+: )?lookup (?P<host>[\w.-]+)(?: on [\d.:\[\]]+)?:.*", "to {host} dns error"),
        (
            r"\b(?:read|write) (?P<proto>tcp|udp) (?P<client>[\d.]+):(?P<own>\d+)->(?P<host>[\d.]+):(?P<port>\d+).*",
            "from {client} to {host} {on} error",
        ),
        (rf"\bdial (?P<proto>tcp|udp)[46]? {_HOST}:{_PORT}\b.*", "to {host} {on} error"),
        (
            r"(?:curl: )?(?:\(\d+\) )?(?:failed to connect|couldn't connect) to "
            rf"{_HOST}(?: \([\w.:]+\))? port {_PORT}\b.*",
            "to {host} {on} error",
        ),
        (r"(?:curl: )?(?:\(\d+\) )?could not resolve host: (?P<host>[\w.-]*\w).*", "to {host} dns error"),
        (
            rf"connection to server at \"?{_HOST}\"?(?: \([\w.:]+\))?, port {_PORT}\b.*",
            "to {host} {on} error",
        ),
        (rf"\bconnect E[A-Z]+ {_HOST}:{_PORT}\b.*", "to {host} {on} error"),
        (r"\bgetaddrinfo E[A-Z_]+ (?P<host>[\w.-]*\w).*", "to {host} dns error"),
        (rf"\w*ConnectionPool\(host='?{_HOST}'?, port={_PORT}\).*", "to {host} {on} error"),
        (
            rf"\b(?:nc|ssh|ncat|telnet): connect to (?:host )?{_HOST}(?: \([\w.:]+\))? port {_PORT}\b"
            r"(?: \((?P<proto>tcp|udp)\))?.*",
            "to {host} {on} error",
        ),
        (
            rf"connection (?:refused|timed out|reset)(?: \(.{{0,30}}\))?: (?:no further information: )?"
            rf"(?:/|{_HOST}/)(?P<address>[\d.]+):{_PORT}\b.*",
            "to {host} {on} error",
        ),
        (rf"\berror -?\d+ connecting to {_HOST}:{_PORT}\b.*", "to {host} {on} error"),
        (rf"could not connect to (?:\w+ (?:at )?)?{_HOST}:{_PORT}\b.*", "to {host} {on} error"),
    )
)
_SCHEME_PORTS = {"http": "80", "https": "443"}
_CLIENT_BEHIND = re.compile(
    r"\b(?:from|in|on|by|at|pod)(?: pod)? (?P<name>[\w.-]+/[\w./-]+|[\w.-]+ in (?:namespace )?[\w-]+)\W*$"
    r"|\((?P<aside>[\w.-]+/[\w./-]+)\)\W*$",
    re.IGNORECASE,
)
"""Who met the error, where the asker says it last."""


_NAMED = re.compile(r"(?<![\w./:])[a-z0-9][\w.-]*/[\w./-]+")
_THROWN = re.compile(
    r"""\b(?:[a-z_]\w*\.)+\w*(?:Exception|Error|Timeout|Refused)\b:?|\b\w+(?:Exception|Error):
    |\b(?:psql|mysql|wget|curl|nc|redis-cli|mongosh|kafkacat|grpcurl|dig):\s(?:error:)?
    |\bupstream\sconnect\serror(?:\sor\sdisconnect/reset\sbefore\sheaders)?(?:\.\sreset\sreason:[\w\s]*)?:?""",
    re.VERBOSE,
)
"""Who reports an error: the class of an exception, a program. Neither is an end."""


_EPHEMERAL = 32_768
"""First port that Linux gives to clients (net.ipv4.ip_local_port_range)."""


def _between(said: Mapping[str, str], words: str, *, is_named: bool) -> str:
    """Return the words for two sockets: who has the ephemeral port began; a name says more than its address."""
    own, other = int(said["own"]), int(said["port"])
    if own < _EPHEMERAL <= other:
        return "from {host} to {client} on {own}/{proto} error"
    return words.removeprefix("from {client} ") if is_named and own >= _EPHEMERAL > other else words


def dialled(text: str) -> str:
    """Return the text with the first pasted error replaced by what was dialled: ``to cart.shop on 8080/TCP error``.

    What stands before the error stays, and who met it, at the very end; what else follows it is the client's story.
    """
    for pattern, words in _PASTED:
        if found := pattern.search(text):
            said = found.groupdict()
            said["host"] = said["host"] or said["address"]
            port = said.get("port") or _SCHEME_PORTS.get(found[0].split("://")[0].split('"')[-1].lower(), "")
            said["on"] = f"on {port}/{(said.get('proto') or 'tcp').lower()}" if port else ""
            client = _CLIENT_BEHIND.search(found[0])
            before = _THROWN.sub(" ", text[: found.start()])
            if "client" in said:
                words = _between(said, words, is_named=bool(_NAMED.search(before)))
            name = f" from {client['name'] or client['aside']}" if client and "client" not in said else ""
            return f"{before} {words.format(**said)}{name}"
    return _THROWN.sub(" ", text)
