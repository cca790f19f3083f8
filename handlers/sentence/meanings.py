"""Phrases that mean one word here, and what surrounds a question and is no part of it."""

import re

_AFTER_EVENT = re.compile(
    r"\b(?:after|following|nach|apr[eè]s|tras)\s+(?:[a-z]+\s+){0,3}"
    r"(?:upgrade|update|deploy(?:ment)?|rollout|release|restart|reboot|migration|maintenance|change)s?\b",
    re.IGNORECASE,
)
"""When it began, with no word of how far to look back."""
MEANT = (
    (re.compile(r"\b(?:the )?(?:kube(?:rnetes)?[ -]?|k8s )?api[ -]?server\b", re.IGNORECASE), "kube-apiserver"),
    (re.compile(r"\b(?:the )?(?:kubernetes|k8s) api\b", re.IGNORECASE), "kube-apiserver"),
    (re.compile(r"\baus dem internet\b", re.IGNORECASE), "von world"),
    (re.compile(r"(?:\bthe |\bl'|\bdas |\bdem |\bel )?\b(?:public |open )?internet\b", re.IGNORECASE), "world"),
    (re.compile(r"\b(?:who|what)(?: is|'s) (?=\d{6,8}\b)", re.IGNORECASE), "identity "),
    (re.compile(r"^(?:good )?(?:morning|evening|afternoon)\b", re.IGNORECASE), "hello"),
    (re.compile(r"\bthe outside(?: world)?\b|\boutside world\b", re.IGNORECASE), "world"),
    (re.compile(r"\b(from|to|by|for) outside\b", re.IGNORECASE), r"\1 world"),
    (re.compile(r"\b(?:external|outside) (?:traffic|clients?|users?|requests?|callers?)\b", re.IGNORECASE), "world"),
    (re.compile(r"(?<!\S):(?=\d{2,5}\b)"), "port "),
    (_AFTER_EVENT, " "),
    (re.compile(r"\b(?:no|without) effect\b", re.IGNORECASE), "useless"),
    (re.compile(r"\b\d+ (\w+)/(?:s|sec|min|minute|h|hr|hour|day)\b", re.IGNORECASE), r"\1"),
    (
        re.compile(r"\bkeep(?:s|ing)? (\S+) (?:away from|out of|off of)\b", re.IGNORECASE),
        r"stop \1 from reaching",
    ),
    (re.compile(r"\b(?:the )?(?:remote|other) nodes?\b", re.IGNORECASE), "remote-node"),
    (re.compile(r"\bsince when\b", re.IGNORECASE), "when"),
    (re.compile(r"\bse (?:voit|fait) (?=refuser|rejeter|bloquer|interdire)", re.IGNORECASE), "est "),
    (re.compile(r"\bcilium[- ](agent|operator)(?:s|en)?\b", re.IGNORECASE), r"\1"),
    (re.compile(r"\bon (?:its|the|their) way to\b", re.IGNORECASE), "traffic to"),
    (re.compile(r"\bin ordnung\b", re.IGNORECASE), "gesund"),
    (re.compile(r"\beach other\b", re.IGNORECASE), "<->"),
    (re.compile(r"\b(connection|permission|access) (refused|reset|denied)(?! by\b)", re.IGNORECASE), "error"),
)
"""What people call entities, and phrases that are one word here."""
SINCE_EVENT = re.compile(r"\bsince (?:the|this|our|my|last) (?!hour|minute|day)\w+", re.IGNORECASE)
"""A past event that a look-back begins at: nobody but the asker knows when it was."""
NOISE = re.compile(
    r"""\d+(?:[.,]\d+)?\s?%|[<>~]?\d+(?:[.,]\d+)?(?:ms|us|µs|ns|[kmg]i?b?|x|rps|qps|mbps|gbps|st|nd|rd|th)
    |v\d+(?:\.\d+){0,3}(?:-\w+)?|\d+\.\d+(?:\.\d+)?(?:-[a-z][\w.]*)?|\d{1,3}(?:,\d{3})+|\d{1,3}/\d{1,3}|p(?:50|9\d|999)
    |\#\d+|[A-Z]{2,}-\d+|@[\w.-]+|:[a-z_+-]+:?|\[[a-zA-Z]\w*\]?|[=+|*_&/\\-]+
    |\d{4}-\d\d-\d\d[T_]\d\d:\d\d:\d\d\S*""",
    re.VERBOSE,
)
"""Percentages, latencies, sizes, versions, counts, tickets, people, log stamps: they surround a question."""
