"""`pytest tests/hsi --hypothesis-profile long` tries twenty times as many examples where a test leaves that open."""

from hypothesis import settings

settings.register_profile("long", max_examples=2000)
