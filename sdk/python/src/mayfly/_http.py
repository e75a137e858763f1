"""One HTTP request: bounded in time and size, over verified TLS, and never redirected with a token in hand."""

from __future__ import annotations

import http.client
import json
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ._elapsed import elapsed
from ._errors import Unavailable

ANSWER_BYTES_MAX = 1 << 20
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")

# Strict on purpose: where two parsers of URLs disagree about the host, an attacker chooses who gets the token.
_URL = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::(\d{1,5}))?((?:[/?][!-~]*)?)", re.IGNORECASE)


@dataclass(frozen=True)
class Url:
    """An http or https URL without user, password and fragment."""

    scheme: str
    #: In lower case; IPv6 in brackets.
    host: str
    port: int
    #: Path and query: empty, or it starts with ``/`` or ``?``.
    target: str

    @property
    def origin(self) -> str:
        """``scheme://host:port``, always with the port, so that equal origins are equal texts."""
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def is_safe(self) -> bool:
        """Whether a token may be sent there: over TLS, or on this machine."""
        return self.scheme == "https" or self.host in LOOPBACK_HOSTS


def parse_url(text: str) -> Url | None:
    """Return the parts of a URL; None for anything that different parsers might read differently."""
    match = _URL.fullmatch(text.partition("#")[0])
    if match is None:
        return None
    scheme, host, port, target = match.groups()
    scheme = scheme.lower()
    return Url(scheme, host.lower(), int(port or (443 if scheme == "https" else 80)), target)


def parse_origin(text: str, *, allow_http: bool = False) -> Url:
    """Return the origin that the text is. Raises ValueError for a path, and for http that is not allowed."""
    url = parse_url(text)
    if url is None or url.target not in ("", "/") or "#" in text:
        raise ValueError(f"{text!r} is not an origin such as https://mayfly.example")
    if not (url.is_safe or allow_http):
        raise ValueError(f"{text!r} would send tokens in clear text: use https")
    return Url(url.scheme, url.host, url.port, "")


@dataclass(frozen=True)
class Answer:
    """An answer of some server, whatever its status."""

    status: int
    #: Names in lower case.
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the parsed body; None if it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


def connection_to(url: Url, timeout: float, context: ssl.SSLContext | None) -> http.client.HTTPConnection:
    """Return a connection that is not opened yet. ``timeout`` is that of each wait for bytes, in seconds."""
    host = url.host.strip("[]")
    if url.scheme == "https":
        verified = context or ssl.create_default_context()
        return http.client.HTTPSConnection(host, url.port, timeout=timeout, context=verified)
    return http.client.HTTPConnection(host, url.port, timeout=timeout)


def fetch(
    url: Url,
    *,
    method: str = "GET",
    headers: Mapping[str, str],
    body: bytes | None = None,
    timeout: float,
    context: ssl.SSLContext | None = None,
) -> Answer:
    """Send one request and return the answer. Raises Unavailable if there is none within the timeout, in seconds.

    Proxies of the environment are not used, and redirects are answers like any other.
    """
    connection = connection_to(url, timeout, context)
    until = elapsed() + timeout
    try:
        target = url.target if url.target.startswith("/") else f"/{url.target}"
        connection.request(method, target, body=body, headers={"Connection": "close", **headers})
        socket = connection.sock
        response = connection.getresponse()
        text = b""
        while not response.isclosed():
            # The timeout of a socket begins anew with each byte: a slow answer would never end.
            if (left := until - elapsed()) <= 0:
                raise TimeoutError("the answer took too long")
            socket.settimeout(left)
            if not (chunk := response.read1(1 << 16)):
                break
            text += chunk
            if len(text) > ANSWER_BYTES_MAX:
                raise Unavailable(f"{url.origin} answered with more than {ANSWER_BYTES_MAX} bytes", may_pass=False)
        if response.length:
            raise ConnectionError("the answer was cut off")
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, text)
    except (OSError, UnicodeError) as error:
        raise Unavailable(f"{url.origin} did not answer: {error}", may_pass=True) from error
    except http.client.IncompleteRead:
        raise Unavailable(f"{url.origin} did not answer: the answer was cut off", may_pass=True) from None
    except http.client.HTTPException as error:
        # Its text repeats what the server sent, and so perhaps a token that the server was sent.
        raise Unavailable(f"{url.origin} did not answer in HTTP: {type(error).__name__}", may_pass=False) from None
    finally:
        connection.close()
