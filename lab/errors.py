"""What the lab says when it cannot do what was asked."""


class LabError(Exception):
    """One sentence for the person at the terminal, and where to look next."""
