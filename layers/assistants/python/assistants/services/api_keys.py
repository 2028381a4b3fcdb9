"""API keys: issued once, stored only as a hash, and each bound to one project (tenant)."""

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import Literal

from assistants.domain.errors import no_api_key, no_such, wrong_api_key
from assistants.domain.ids import API_KEY, ProjectId, new_id
from assistants.domain.page import Cursor
from assistants.domain.schema import Object
from assistants.ports.clock import Clock
from assistants.ports.table import Create, Delete, Row, Table
from assistants.services.storage import keys
from assistants.services.storage.pagination import page_of_rows

CACHE_SECONDS = 60.0  # how long a warm function may still accept a revoked key
_PROJECT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class ApiKey(Object):
    """The record of a key. Only the client that it was issued to has the key itself."""

    id: str
    project: ProjectId
    name: str
    created_at: int
    digest: str


@dataclass(frozen=True)
class ApiKeys:
    """With `auth` set to `keys`, accept issued keys only; with `open`, any key as a tenant."""

    table: Table
    clock: Clock
    auth: Literal["keys", "open"]
    _known: dict[str, tuple[float, ProjectId]] = field(default_factory=dict)

    def identify(self, authorization: str | None) -> ProjectId:
        """Return the project of the bearer key in an `Authorization` header.

        Raises `AuthenticationError` if there is no key, or an unknown one.
        """
        scheme, _, key = (authorization or "").partition(" ")
        key = key.strip()
        if scheme.lower() != "bearer" or not key:
            raise no_api_key()
        digest = hashlib.sha256(key.encode()).hexdigest()
        if self.auth == "open":
            return ProjectId(f"open-{digest[:32]}")
        known = self._known.get(digest)
        if known is None or known[0] < self.clock.time():
            [row] = self.table.get(keys.api_key_secret(digest))
            if row is None:
                raise wrong_api_key(key)
            known = (self.clock.time() + CACHE_SECONDS, row.body["project"])
            self._known[digest] = known
        return known[1]

    def create(self, project: ProjectId, name: str) -> tuple[ApiKey, str]:
        """Issue a key. Return its record and the key itself, of which no copy is kept.

        Raises `ValueError` for an invalid project name.
        """
        if not _PROJECT.fullmatch(project) or project.startswith("open-"):
            raise ValueError(
                f"'{project}' cannot be a project: use a-z, 0-9 and '-', not beginning with 'open-'"
            )
        secret = f"sk-{secrets.token_urlsafe(36)}"
        digest = hashlib.sha256(secret.encode()).hexdigest()
        key = ApiKey(
            id=new_id(API_KEY),
            project=project,
            name=name,
            created_at=int(self.clock.time()),
            digest=digest,
        )
        self.table.commit(
            Create(Row(keys.api_key_secret(digest), {"project": project, "id": key.id})),
            Create(Row(keys.api_key(project, key.id), key.model_dump())),
        )
        return key, secret

    def list(self, project: ProjectId) -> list[ApiKey]:
        found: list[ApiKey] = []
        cursor, has_more = Cursor(limit=100, order="asc"), True
        while has_more:
            rows, has_more = page_of_rows(self.table, keys.api_keys(project), "", cursor)
            found += [ApiKey.model_validate(row.body) for row in rows]
            cursor = cursor.model_copy(update={"after": found[-1].id if found else None})
        return found

    def revoke(self, project: ProjectId, key_id: str) -> ApiKey:
        """Delete a key. Raises `NotFoundError` if it does not exist."""
        [row] = self.table.get(keys.api_key(project, key_id))
        if row is None:
            raise no_such("API key", key_id)
        key = ApiKey.model_validate(row.body)
        self.table.commit(Delete(keys.api_key_secret(key.digest)), Delete(row.key))
        return key
