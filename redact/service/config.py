"""What an operator sets: one TOML file. Pure data and its checks; nothing of a request ever gets in here.

Relative paths are taken from the file's own folder. An unknown key is an error, as in a policy.
"""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from redact.errors import UsageError

Count = Annotated[int, Field(ge=1)]
HOOK_NAME = r"^[a-z0-9-]{1,24}$"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Listen(_Part):
    """Where the service listens."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8470
    hosts: tuple[str, ...] = ("localhost", "127.0.0.1")
    """Names that a request may carry in `Host`; the port does not matter."""


class Limits(_Part):
    """Bounds of what requests may use."""

    upload_mb: Count = 2048
    """Largest file."""
    free_mb: Annotated[int, Field(ge=0)] = 1024
    """Space that must be left on the spool's disk beyond an upload of the largest size."""
    queue: Count = 500
    """Jobs that may wait or be at work; beyond it, submissions get 503."""
    uploads: Count = 64
    """Uploads at once; beyond it, 503."""
    connections: Count = 512
    """Open connections and requests, together; beyond it, 503."""
    requests_per_minute: Count = 600
    """For each token; beyond it, 429."""
    burst: Count = 100
    """Requests that a token which was quiet may send at once."""
    head_s: Count = 10
    """Seconds in which a request's head must have come."""
    idle_s: Count = 20
    """Seconds that an upload may pause."""
    slowest_kb_s: Count = 16
    """Kilobytes a second that an upload must reach on average, after `idle_s`."""
    grace_s: Annotated[int, Field(ge=0)] = 60
    """Seconds that uploads and jobs get to end when the service is stopped."""
    keep_days: Count = 30
    """Days after which the row of a settled job is forgotten; its results and the ledger stay."""
    tries: Count = 3
    """Attempts at an item whose worker dies, hangs or cannot encode."""


class Webhook(_Part):
    """One address that is told of every job that ends."""

    name: Annotated[str, Field(pattern=HOOK_NAME)]
    url: str
    secret_file: Path
    """Holds the key of the signature: at least 32 characters, its owner's alone (mode 0600)."""
    tries: Count = 12
    first_pause_s: Annotated[float, Field(gt=0)] = 5
    """Pause after the first failure; it doubles with each, up to an hour."""
    timeout_s: Annotated[float, Field(gt=0)] = 15

    @model_validator(mode="after")
    def _address(self) -> Webhook:
        parts = urlsplit(self.url)
        if not parts.hostname or parts.scheme not in ("https", "http") or parts.username or parts.password:
            raise ValueError("url must be https://host/path, without user or password")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise ValueError("url must be https; http is for this machine only")
        return self


class ServiceConfig(_Part):
    """The whole of it."""

    out: Path
    """The output folder, the same as of `redact run`."""
    state: Path
    """Private folder of the service: spool, job database, tokens. Outside `out`, its owner's alone."""
    policy: str = "strict"
    set: tuple[str, ...] = ()
    names: Path | None = None
    jobs: Count = 1
    """Items at once."""
    database_url: str = ""
    """Empty: SQLite in `state`. Else postgresql://user:password@host/database."""
    listen: Listen = Listen()
    limits: Limits = Limits()
    webhooks: tuple[Webhook, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> ServiceConfig:
        if len({hook.name for hook in self.webhooks}) != len(self.webhooks):
            raise ValueError("two webhooks have one name")
        if self.database_url and urlsplit(self.database_url).scheme not in ("postgresql", "sqlite"):
            raise ValueError("database_url must begin with postgresql:// or sqlite://")
        return self

    def check_places(self) -> None:
        """Raises:
        UsageError: `out` and `state` lie inside each other.
        """
        out, state = self.out.resolve(), self.state.resolve()
        if out == state or out in state.parents or state in out.parents:
            raise UsageError("out and state of the service must lie outside each other.")


def _from(base: Path, path: Path) -> Path:
    return path if path.is_absolute() else base / path


def load_config(file: Path) -> ServiceConfig:
    """Read the file.

    Raises:
        UsageError: it cannot be read, a setting is wrong, or others can read the password in it.
    """
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
        mode = stat.S_IMODE(file.stat().st_mode)
    except (OSError, ValueError) as error:
        raise UsageError("The service's configuration cannot be read, or is no TOML.") from error
    try:
        config = ServiceConfig.model_validate(data)
    except ValidationError as error:
        # the place and what is wrong, never the value: it may be a password
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise UsageError(f"The service's configuration is wrong at {place}: {first['msg']}.") from error
    if urlsplit(config.database_url).password and mode & 0o077:
        raise UsageError("The configuration holds a password and others can read it; chmod 600 it.")
    base = file.resolve().parent
    hooks = tuple(
        hook.model_copy(update={"secret_file": _from(base, hook.secret_file)}) for hook in config.webhooks
    )
    policy = config.policy
    if policy.endswith(".toml"):
        policy = str(_from(base, Path(policy)))
    config = config.model_copy(
        update={
            "out": _from(base, config.out),
            "state": _from(base, config.state),
            "names": _from(base, config.names) if config.names else None,
            "policy": policy,
            "webhooks": hooks,
        }
    )
    config.check_places()
    return config


def read_secret(file: Path) -> bytes:
    """The key of a webhook's signature.

    Raises:
        UsageError: it cannot be read, others can read it, or it is too short.
    """
    try:
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise UsageError("A webhook's secret_file can be read by others; chmod 600 it.")
        secret = file.read_bytes().strip()
    except OSError as error:
        raise UsageError("A webhook's secret_file cannot be read.") from error
    if len(secret) < 32:
        raise UsageError("A webhook's secret must have 32 characters or more: openssl rand -hex 32.")
    return secret
