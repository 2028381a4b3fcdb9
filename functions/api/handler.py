"""All JSON routes of the API, called by API Gateway."""

from mangum import Mangum

from assistants.bootstrap import backend, settings
from assistants.http.app import create_app

handler = Mangum(create_app(backend(), cors_origins=settings().cors_origins), lifespan="off")
