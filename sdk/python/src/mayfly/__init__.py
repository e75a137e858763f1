"""Client of the Mayfly credential broker: credentials for one task, which die when the task does.

>>> broker = mayfly.Broker("https://mayfly.example", identity=mayfly.from_file("/var/run/secrets/mayfly/token"))
>>> with broker.task("triage") as task:
...     httpx.get(url, auth=task.auth("https://tickets.example", "incident/4711:read"))
"""

from ._auth import Bearer
from ._broker import Broker
from ._credentials import Access, Credential, scope
from ._errors import (
    ApprovalNeeded,
    IdentityUnavailable,
    MayflyError,
    NotApproved,
    Refused,
    TaskEnded,
    Unavailable,
    WrongOrigin,
)
from ._identity import Identity, from_aws, from_env, from_file, from_github_actions, from_google
from ._task import Outcome, Task

__all__ = [
    "Access",
    "ApprovalNeeded",
    "Bearer",
    "Broker",
    "Credential",
    "Identity",
    "IdentityUnavailable",
    "MayflyError",
    "NotApproved",
    "Outcome",
    "Refused",
    "Task",
    "TaskEnded",
    "Unavailable",
    "WrongOrigin",
    "from_aws",
    "from_env",
    "from_file",
    "from_github_actions",
    "from_google",
    "scope",
]
