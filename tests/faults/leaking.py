"""Makes a server's projector fail with somebody's data in the error: loaded by the interpreter as `sitecustomize`."""

SOURCE = """
from desireline.intake import dialects

_reads = dialects.rows_of


def _fails(message, *rest):
    if (message.key or "").startswith("crash"):
        raise ValueError(f"cannot read {dict(message.body)!r}")
    return _reads(message, *rest)


dialects.rows_of = _fails
"""
