"""What a world says that broke a promise."""


class Violation(AssertionError):
    """A promise was broken; the text begins with its name."""


def demand(holds: object, promise: str, story: object) -> None:
    """Raise unless *holds*."""
    if not holds:
        raise Violation(f"{promise}: {story}")
