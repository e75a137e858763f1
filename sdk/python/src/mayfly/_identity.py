"""Where the identity token of this workload comes from. A source is a function that returns the token."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ._elapsed import elapsed
from ._errors import IdentityUnavailable, MayflyError, Unavailable
from ._fork import tell_in_children
from ._http import fetch, parse_url

Identity = Callable[[], str]

TOKEN_CHARACTERS_MAX = 16_384
_TOKEN = re.compile(r"[\w.~+/=-]+", re.ASCII)
_TIMEOUT_SECONDS = 5.0
#: The tokens of these sources live for some minutes: asking for one with every heartbeat would be rude.
_KEPT_SECONDS = 60.0


def checked_token(text: object, source: str) -> str:
    """Return the token without white space around it. Raises IdentityUnavailable for anything that is no token."""
    token = text.strip() if isinstance(text, str) else ""
    if len(token) > TOKEN_CHARACTERS_MAX or _TOKEN.fullmatch(token) is None:
        raise IdentityUnavailable(f"{source} does not hold one token and nothing else")
    return token


def token_from(source: Identity, name: str) -> str:
    """Return the token that a source gives. Raises IdentityUnavailable too where a function of the user's own fails.

    Threads call it that outlast such a failure: renewal, reports, acknowledgements.
    """
    try:
        token = source()
    except MayflyError:
        raise
    except Exception as error:
        raise IdentityUnavailable(f"{name} failed: {type(error).__name__}") from error
    return checked_token(token, name)


def from_file(path: str | os.PathLike[str]) -> Identity:
    """Identity in a file that the platform keeps fresh, such as a projected token of Kubernetes. Read each time."""

    def read() -> str:
        try:
            with open(path, encoding="ascii") as file:
                return checked_token(file.read(TOKEN_CHARACTERS_MAX + 64), str(Path(path)))
        except (OSError, UnicodeDecodeError) as error:
            raise IdentityUnavailable(f"{Path(path)} cannot be read: {type(error).__name__}") from None

    return read


def from_env(name: str) -> Identity:
    """Identity in an environment variable, such as an ``id_tokens`` variable of GitLab CI."""
    return lambda: checked_token(os.environ.get(name), f"the environment variable {name}")


def from_github_actions(audience: str) -> Identity:
    """Identity of a GitHub Actions job. The job needs ``permissions: { id-token: write }``."""

    def ask() -> str:
        address = os.environ.get("ACTIONS_ID_TOKEN_REQUEST_URL")
        secret = os.environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
        if not address or not secret:
            raise IdentityUnavailable("ACTIONS_ID_TOKEN_REQUEST_URL is not set: the job needs `id-token: write`")
        joint = "&" if "?" in address else "?"
        headers = {"Authorization": f"Bearer {checked_token(secret, 'ACTIONS_ID_TOKEN_REQUEST_TOKEN')}"}
        answer = _ask(f"{address}{joint}audience={quote(audience, safe='')}", headers, "GitHub Actions")
        body = answer.json()
        return checked_token(body.get("value") if isinstance(body, dict) else None, "the answer of GitHub Actions")

    return _Kept(ask)


def from_google(audience: str) -> Identity:
    """Identity of a service account on Google Cloud, signed by the metadata server of the machine."""

    def ask() -> str:
        host = os.environ.get("GCE_METADATA_HOST", "metadata.google.internal")
        path = "computeMetadata/v1/instance/service-accounts/default/identity"
        url = f"http://{host}/{path}?audience={quote(audience, safe='')}&format=full"
        answer = _ask(url, {"Metadata-Flavor": "Google"}, "the metadata server", allow_http=True)
        if answer.headers.get("metadata-flavor") != "Google":
            raise IdentityUnavailable("what answered is not a metadata server of Google")
        return checked_token(answer.body.decode("ascii", "replace"), "the answer of the metadata server")

    return _Kept(ask)


def from_aws(audience: str, *, client: Any = None) -> Identity:
    """Identity of an AWS role (``sts:GetWebIdentityToken``). Needs boto3: ``pip install mayfly-broker[aws]``.

    ``client`` is an STS client of boto3; by default one is made from the environment.
    """
    if client is None:
        import boto3  # type: ignore[import-not-found, import-untyped, unused-ignore]

        client = boto3.client("sts")

    def ask() -> str:
        try:
            answer = client.get_web_identity_token(Audience=[audience], SigningAlgorithm="ES384", DurationSeconds=300)
        except Exception as error:
            raise IdentityUnavailable(f"AWS gave no identity token: {type(error).__name__}") from error
        return checked_token(answer.get("WebIdentityToken"), "the answer of AWS")

    return _Kept(ask)


def _ask(address: str, headers: Mapping[str, str], who: str, *, allow_http: bool = False) -> Any:
    url = parse_url(address)
    if url is None or not (url.is_safe or allow_http):
        raise IdentityUnavailable(f"the address of {who} is not an https URL")
    try:
        answer = fetch(url, headers=headers, timeout=_TIMEOUT_SECONDS)
    except Unavailable as error:
        raise IdentityUnavailable(f"{who}: {error}") from error
    if answer.status != 200:
        raise IdentityUnavailable(f"{who} answered {answer.status}")
    return answer


class _Kept:
    """A source whose token is used for a minute, unless the broker refuses it."""

    def __init__(self, ask: Identity) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._token: str | None = None
        self._until = 0.0
        tell_in_children(self)

    def __call__(self) -> str:
        with self._lock:
            if self._token is None or elapsed() >= self._until:
                self._token = self._ask()
                self._until = elapsed() + _KEPT_SECONDS
            return self._token

    def _after_fork(self) -> None:
        self._lock = threading.Lock()

    def forget(self) -> None:
        with self._lock:
            self._token = None
