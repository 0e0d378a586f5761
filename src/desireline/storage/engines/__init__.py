"""Engines: where kernels run. `kernel` marks a plain loop over arrays that is compiled once and cached."""

from desireline.storage.engines.local import borrowing_kernel, compiled, kernel, run, typed_kernel

__all__ = ["borrowing_kernel", "compiled", "kernel", "run", "typed_kernel"]
