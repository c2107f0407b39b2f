"""How the property tests of `models` run."""

from hypothesis import settings

# How long an example takes says nothing on a shared machine.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")
