"""/v1/uploads"""

from assistants.domain.ids import UPLOAD, UPLOAD_PART
from assistants.domain.upload import (
    DirectPart,
    PartCreate,
    Upload,
    UploadComplete,
    UploadCreate,
    UploadPart,
)
from assistants.http.call import Call


def create(call: Call, body: UploadCreate) -> Upload:
    return call.backend.files.uploads.create(call.project, body, call.new_id(UPLOAD))


def add_part(call: Call, body: PartCreate) -> UploadPart:
    part_id = call.new_id(UPLOAD_PART)
    return call.backend.files.uploads.add_part(call.project, call.path["upload_id"], body, part_id)


def add_direct_part(call: Call) -> DirectPart:
    """Return a URL to which the client PUTs the whole content, at S3 (an extension).

    For files that are too large for one request to the API. Complete the upload with this part
    alone.
    """
    part_id = call.new_id(UPLOAD_PART)
    return call.backend.files.uploads.add_direct_part(call.project, call.path["upload_id"], part_id)


def complete(call: Call, body: UploadComplete) -> Upload:
    return call.backend.files.upload_completion.complete(call.project, call.path["upload_id"], body)


def cancel(call: Call) -> Upload:
    return call.backend.files.uploads.cancel(call.project, call.path["upload_id"])
