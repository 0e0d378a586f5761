"""Files in."""
ROUTES: list = []
