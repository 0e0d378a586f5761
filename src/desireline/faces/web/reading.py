"""How pages read an open project."""
class Reading:
    def __init__(self, project): self.project=project
