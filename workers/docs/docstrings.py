"""What the code says about the attributes of a class: the strings that stand below them."""

import ast
import inspect
import textwrap
from typing import Any


def attribute_docstrings(cls: type[Any]) -> dict[str, str]:
    """Return the string below each attribute that has one."""
    body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    assert isinstance(body, ast.ClassDef)  # noqa: S101  (the source of a class is a class)
    told = {}
    for statement, following in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
        ):
            told[statement.target.id] = plain(str(following.value.value))
    return told


def plain(docstring: str) -> str:
    """Return a docstring as one line of Markdown."""
    return " ".join(docstring.replace("``", "`").split())
