"""The root of every error that this project raises on purpose."""


class GxError(Exception):
    """Something failed in a way that we foresaw.

    The text says what was wrong, where, and what to do; the type says how to react.
    """
