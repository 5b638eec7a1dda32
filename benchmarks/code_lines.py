"""Lines of Python that are code: they hold more than blanks, a comment or a docstring."""

from __future__ import annotations

import ast
import io
import tokenize

_NOT_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}
_WITH_DOCSTRINGS = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def code_lines(source: str) -> set[int]:
    """The numbers of the lines of code, from 1."""
    lines = {
        line
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in _NOT_CODE
        for line in range(token.start[0], token.end[0] + 1)
    }
    return lines - _docstring_lines(ast.parse(source))


def _docstring_lines(tree: ast.Module) -> set[int]:
    lines: set[int] = set()
    for node in ast.walk(tree):
        # A string below a constant is its docstring, as Sphinx reads it.
        for each in node.body if isinstance(node, _WITH_DOCSTRINGS) else ():
            if isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant):
                lines.update(range(each.lineno, (each.end_lineno or each.lineno) + 1))
    return lines
