"""YAML that people write: read safely, with the line and column of every word.

One reader for maps, recipes and the project file. It refuses what a configuration never needs: tags,
more than `MOST_BYTES`, nesting deeper than `DEEPEST`, and aliases that blow up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from desireline.vocabulary.errors import DesirelineError, Mistake, nearest

MOST_BYTES = 1_000_000
DEEPEST = 24
MOST_NODES = 100_000


class Document:
    """A YAML document and the places of its words.

    `body` is the plain content. Call `mistake(path, ...)` for a `Mistake` at the place of a value;
    a path is a tuple of keys and list positions.
    """

    def __init__(self, *, text: str, name: str) -> None:
        self.name = name
        self.text = text
        self.body = _read(text, name)

    def place(self, path: Sequence[str | int]) -> tuple[int, int]:
        """Line and column (both from 1) of the value at `path`, or of the nearest parent that has one."""
        node: Any = self.body
        line, column = 1, 1
        for step in path:
            try:
                found = node.lc.key(step) if isinstance(node, CommentedMap) else node.lc.item(step)
                node = node[step]
            except (AttributeError, KeyError, IndexError, TypeError):
                break
            line, column = found[0] + 1, found[1] + 1
        return line, column

    def mistake(self, path: Sequence[str | int], what: str, do: str = "") -> Mistake:
        """A mistake at the place of `path`."""
        line, column = self.place(path)
        return Mistake(what, where=self.name, line=line, column=column, do=do)

    def unknown_words(self, path: Sequence[str | int], node: Mapping[str, Any], known: Sequence[str]) -> list[Mistake]:
        """One mistake for each key of `node` that is not a known word, naming the nearest known one."""
        return [
            self.mistake((*path, word), f"unknown word '{word}'.", nearest(str(word), known) or _among(known))
            for word in node
            if word not in known
        ]


def _among(known: Sequence[str]) -> str:
    return f"Known here: {', '.join(known)}." if len(known) <= 12 else ""


def _read(text: str, name: str) -> Any:
    if len(text.encode()) > MOST_BYTES:
        raise DesirelineError(Mistake(f"larger than {MOST_BYTES:,} bytes.", where=name))
    reader = YAML(typ="rt", pure=True)
    reader.allow_duplicate_keys = False
    try:
        body = reader.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(str(error.problem or error.context or "not YAML").split())
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        raise DesirelineError(Mistake(f"cannot be read: {what}.", where=name, line=line, column=column)) from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise DesirelineError(Mistake(f"cannot be read: {error}.", where=name)) from None
    _measure(body, name)
    return body


def _measure(body: Any, name: str) -> None:
    """Refuse what is too deep or, through aliases, too large; counts every node as often as it is named."""
    count = 0
    waiting: list[tuple[Any, int]] = [(body, 1)]
    while waiting:
        node, depth = waiting.pop()
        count += 1
        if depth > DEEPEST or count > MOST_NODES:
            raise DesirelineError(
                Mistake(f"nested deeper than {DEEPEST} or more than {MOST_NODES:,} values.", where=name)
            )
        tag = getattr(node, "tag", None)
        if tag is not None and tag.value is not None:
            raise DesirelineError(Mistake(f"tags such as {tag.value} are not allowed.", where=name))
        if isinstance(node, CommentedMap):
            waiting.extend((value, depth + 1) for value in node.values())
        elif isinstance(node, CommentedSeq):
            waiting.extend((value, depth + 1) for value in node)
