"""Figures as regions write them, looked at before they are believed."""


def natural(value: object) -> int:
    """A count or a size. Raises `ValueError` for what is no whole number, or less than nothing."""
    number = int(str(value))
    if number < 0:
        raise ValueError(f"{number} is less than nothing")
    return number
