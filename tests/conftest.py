"""Fixtures that tests of several rooms use, and how examples are found by chance."""

from hypothesis import HealthCheck, settings

from faults.forms import LONG

pytest_plugins = ["postgresql"]

settings.register_profile(
    "ours", deadline=None, derandomize=not LONG, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
"""A busy machine fails no test, and a change is never blamed for an example nobody tried before: the long form,
`make faults`, looks for new ones."""
settings.load_profile("ours")
