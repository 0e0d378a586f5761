"""The ways out: one file each. Only these know the outside world."""
