"""/v1/files"""

from assistants.domain.file import File, FileCreate, FileCursor
from assistants.domain.ids import FILE
from assistants.domain.page import Page
from assistants.domain.schema import Deleted
from assistants.http.call import Call, Download, Redirect

STREAMED_BYTES = 20 * 1024 * 1024  # after the first 6 MB, API Gateway limits a stream to 2 MB/s


def create(call: Call, body: FileCreate) -> File:
    return call.backend.files.service.create(call.project, body, call.new_id(FILE))


def list_(call: Call, query: FileCursor) -> Page[File]:
    return call.backend.files.service.list(call.project, query)


def get(call: Call) -> File:
    return call.backend.files.service.get(call.project, call.file_id)


def delete(call: Call) -> Deleted:
    return call.backend.files.service.delete(call.project, call.file_id)


def content(call: Call) -> Download | Redirect:
    """Return the bytes of a file, or for more than 20 MB a redirect to a URL of S3."""
    files = call.backend.files.service
    file = files.downloadable(call.project, call.file_id)
    if file.bytes > STREAMED_BYTES:
        return Redirect(files.link(call.project, file))
    return Download(file.filename, file.mime_type, files.read(call.project, file))
