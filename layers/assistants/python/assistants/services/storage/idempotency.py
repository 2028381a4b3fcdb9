"""Idempotency-Key: a creation that is sent twice makes one object.

Before the object exists, the key is bound to its order, the part of its id after the prefix. A
request that is repeated, after a crash or a lost response, therefore creates under the same id and
finds the object that is already there. A request that creates nothing may be repeated too, but its
key cannot be reused for another request.
"""

import hashlib
from dataclasses import dataclass

from assistants.domain.errors import InvalidRequestError
from assistants.domain.ids import ProjectId, new_order
from assistants.ports.clock import Clock
from assistants.ports.table import ConflictError, Create, Row, Save, Table
from assistants.services.storage import keys

KEPT_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Idempotency:
    table: Table
    clock: Clock

    def claim(self, project: ProjectId, key: str, request: bytes) -> str:
        """Bind the key to this request and return the order of the object to create.

        Raises `InvalidRequestError` if another request used the key within the last day.
        """
        digest = hashlib.sha256(request).hexdigest()
        now = int(self.clock.time())
        claim = Row(
            keys.idempotency(project, hashlib.sha256(key.encode()).hexdigest()),
            {"order": new_order(), "request": digest, "until": now + KEPT_SECONDS},
            ttl=now + KEPT_SECONDS,
        )
        try:
            self.table.commit(Create(claim))
        except ConflictError:
            return self._claimed_before(claim, digest)
        return str(claim.body["order"])

    def _claimed_before(self, claim: Row, digest: str) -> str:
        [earlier] = self.table.get(claim.key)
        if earlier is None or earlier.body["until"] < self.clock.time():
            self.table.commit(Save(claim))  # DynamoDB deletes expired rows late
            return str(claim.body["order"])
        if earlier.body["request"] != digest:
            raise InvalidRequestError(
                "Keys for idempotent requests can only be used with the same parameters they were "
                "first used with.",
                code="idempotency_key_reused",
            )
        return str(earlier.body["order"])
