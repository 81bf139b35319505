"""What does each key of a shape mean, as its declaration says?

Read from the sources, where a text follows each field, and only for those who want schemas or the reference: pydantic
would do so with every start of every command.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, get_args


def shapes_of(annotation: Any) -> dict[str, Any]:
    """The shapes that a type is made of, by name."""
    found: dict[str, Any] = {}
    if fields := getattr(annotation, "__pydantic_fields__", None):
        found[annotation.__name__] = annotation
        for info in fields.values():
            found |= shapes_of(info.annotation)
    for inner in get_args(annotation):
        found |= shapes_of(inner)
    return found


def describe(schemas: Mapping[str, dict[str, Any]], shapes: Mapping[str, Any]) -> None:
    """Write into the JSON Schemas of these shapes, by name, what each of their properties means."""
    for name, schema in schemas.items():
        fields = shapes[name].__pydantic_fields__ if name in shapes else {}
        said = _meanings(shapes[name]) if fields else {}
        for field in fields.keys() & said.keys():
            key = fields[field].alias or field
            described = {**schema["properties"][key], "description": said[field]}
            schema["properties"][key] = dict(sorted(described.items()))


def _meanings(shape: Any) -> dict[str, str]:
    """The text after each field, by the field's name; inherited ones included."""
    found: dict[str, str] = {}
    for cls in reversed(shape.__mro__):
        if cls.__module__ == "builtins":
            continue
        try:
            (declared,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
        except OSError:
            continue  # installed without its sources: the schemas hold all the same
        for pair in pairwise(declared.body if isinstance(declared, ast.ClassDef) else ()):
            match pair:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    found[name] = inspect.cleandoc(text)
                case _:
                    pass
    return found
