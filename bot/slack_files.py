"""Files that people dropped in Slack, read with the bot's token: from Slack's own hosts, or from where its API is.

A file is read by its ``url_private``, which needs the scope ``files:read``
(https://docs.slack.dev/reference/objects/file-object).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from slack_sdk import WebClient

_PIECE = 1 << 20
_OWN_HOSTS = (".slack.com", ".slack-gov.com")


class FileError(Exception):
    """The file cannot be had; the message says why."""


class _NoRedirect(HTTPRedirectHandler):
    """Follows nobody: the token goes with every request."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


@contextmanager
def opened_file(client: WebClient, url: str, name: str, seconds: float) -> Iterator[HTTPResponse]:
    """Open a file; ``name`` is for people, ``seconds`` bound each wait for Slack.

    Raises:
        FileError: if it is kept elsewhere, or Slack does not give it.
    """
    if not _is_slack(client, url):
        raise FileError(f"{name} is kept outside of Slack, so I cannot read it.")
    request = Request(url, headers={"Authorization": f"Bearer {client.token}"})  # noqa: S310  (see _is_slack)
    try:
        with build_opener(_NoRedirect).open(request, timeout=seconds) as answer:
            yield answer
    except (HTTPError, URLError, OSError) as error:
        raise FileError(f"{name} cannot be read; I need the scope files:read.") from error


def save_file(client: WebClient, url: str, name: str, path: Path, *, most: int, seconds: float) -> None:
    """Write a file of at most ``most`` bytes to a path.

    Raises:
        FileError: as ``opened_file`` does, and if it is larger.
    """
    with opened_file(client, url, name, seconds) as answer, path.open("wb") as file:
        written = 0
        while piece := answer.read(_PIECE):
            written += len(piece)
            if written > most:
                raise FileError(f"{name} is larger than {most >> 20} MiB; look at it in a terminal with --sysdump.")
            file.write(piece)


def _is_slack(client: WebClient, url: str) -> bool:
    asked, api = urlsplit(url), urlsplit(client.base_url)
    is_api = (asked.scheme, asked.netloc) == (api.scheme, api.netloc)
    return is_api or (asked.scheme == "https" and (asked.hostname or "").endswith(_OWN_HOSTS))
