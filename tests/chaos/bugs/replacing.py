"""How a bug is planted: something of the product is replaced from outside."""


def replace(owner: object, name: str, with_this: object) -> None:
    """Put something in the place of what is there.

    Raises:
        AttributeError: The product has nothing of that name any more: the bug needs a new place.
    """
    getattr(owner, name)
    setattr(owner, name, with_this)


def replace_text(owner: object, name: str, old: str, new: str) -> None:
    """Change a statement.

    Raises:
        ValueError: The statement does not say that any more: the bug needs another change.
    """
    statement: str = getattr(owner, name)
    if old not in statement:
        raise ValueError(f"{name} has no {old!r}")
    setattr(owner, name, statement.replace(old, new))
