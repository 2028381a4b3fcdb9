"""Each request lists the folders of moto's package on disk, and the methods of its handler."""

import functools

from moto import backends
from moto.core import responses


def fix() -> None:
    names = tuple(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: iter(names)
    responses.method_names_from_class = functools.cache(  # type: ignore[attr-defined]
        responses.method_names_from_class  # type: ignore[attr-defined]
    )
