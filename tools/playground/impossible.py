"""What a person is told who asks the playground for something that cannot be done."""


class NotPossible(Exception):  # noqa: N818 - said to a person, who may try something else
    """The person asked for something that cannot be done."""
