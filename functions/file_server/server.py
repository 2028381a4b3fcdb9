"""The API as a long-running server, for files that API Gateway and Lambda do not admit."""

from assistants.bootstrap import backend, settings
from assistants.http.app import create_app
from assistants.http.threaded import Threaded

app = Threaded(create_app(backend(), cors_origins=settings().cors_origins), prefix="/v1")
