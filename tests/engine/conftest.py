"""How thorough the tests of the engine are: `--hypothesis-profile=long` in `make test-engine`."""

from hypothesis import settings

settings.register_profile("long", max_examples=20_000)
