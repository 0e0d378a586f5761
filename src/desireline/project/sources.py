"""Where interactions come from as they happen: each source has a name, a dialect and a key of its own."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from desireline import intake
from desireline.intake import Mailbox, Receiving, changed_way, dialects, read_way, way_of
from desireline.project.handing_over import running_server
from desireline.storage.source_book import SourceBook
from desireline.vocabulary.errors import DesirelineError, nearest
from desireline.vocabulary.table import Table
from desireline.vocabulary.units import counted

if TYPE_CHECKING:
    from desireline.project.project import Project

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
MOST_REQUESTS_PER_SECOND = 10_000
FROM_SYSTEMS = ("webhook", "recipe", "email")
"""Dialects that systems of the company's own speak: what they say of answers and agents is believed."""
CHANGEABLE = (
    "origins", "per_second", "recipe", "secret_env", "server_side", "unsigned", "enabled", "says", "key", "mail",
)  # fmt: skip
MOST_WAYS_OF_LETTERS = 50
"""So many mailboxes and ports for letters at most; each takes a thread of the server."""


class Sources:
    """The sources of one project. Every change goes through the log of record."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.changed: list[Callable[[], None]] = []
        self._settings: dict[str, dialects.Setting] = {}
        self._made_again = False

    def all(self) -> list[dict[str, Any]]:
        """Every source, by name."""
        return SourceBook(self.project.state).sources()

    def named(self, name: str) -> dict[str, Any]:
        """The source of that name; a clear error when there is none."""
        found = {each["name"]: each for each in self.all()}
        if name not in found:
            hint = nearest(name, list(found)) or "Connect one with: desireline source add NAME"
            raise DesirelineError(f"there is no source '{name}'. {hint}")
        return found[name]

    def add(
        self,
        name: str,
        *,
        dialect: str = "segment",
        origins: Sequence[str] = (),
        per_second: int = MOST_REQUESTS_PER_SECOND,
        recipe: str = "",
        secret_env: str = "",
        server_side: bool = False,
        unsigned: bool = False,
        says: str = "",
        mail: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Connect a source and give it a write key; a name in use, an unknown dialect or recipe is a clear error.

        mail: how the server fetches or takes the letters of this source by itself (`intake.mail.read_way`).
        """
        self._check(name, dialect, origins, recipe)
        way = self._checked_way(name, dialect, read_way(mail or {}))
        if (server := running_server(self.project)) is not None:
            return dict(
                server.do(
                    "source-add",
                    {
                        "name": name, "dialect": dialect, "origins": list(origins), "per_second": per_second,
                        "recipe": recipe, "secret_env": secret_env, "server_side": server_side,
                        "unsigned": unsigned, "says": says, "mail": way,
                    },
                )
            )  # fmt: skip
        values = {
            "name": name,
            "dialect": dialect,
            "key": secrets.token_urlsafe(24),
            "origins": list(origins),
            "per_second": per_second,
            "recipe": self._recipe_text(recipe) if recipe else "",
            "secret_env": secret_env,
            "server_side": server_side or dialect in FROM_SYSTEMS,
            "unsigned": unsigned,
            "enabled": True,
            "says": says,
            "mail": way,
        }
        with self.project.writing("desireline source"):
            self.project.record.change("source", values)
        self.forget()
        return self.named(name)

    def change(self, name: str, **values: Any) -> dict[str, Any]:
        """Change a source: origins, budget, recipe, whether it is enabled; a new key with `new_key=True`.

        mail: the words that change of how its letters come in; an empty mapping ends that.
        """
        if (server := running_server(self.project)) is not None:
            return dict(server.do("source-change", {"name": name, **values}))
        source = self.named(name)
        if values.pop("new_key", False):
            values["key"] = secrets.token_urlsafe(24)
        unknown = [word for word in values if word not in CHANGEABLE]
        if unknown:
            raise DesirelineError(f"a source has no '{unknown[0]}' to change. {nearest(unknown[0], CHANGEABLE)}")
        if values.get("recipe"):
            values["recipe"] = self._recipe_text(values["recipe"])
        if "mail" in values:
            words = changed_way(source["mail"], values["mail"]) if values["mail"] else {}
            values["mail"] = self._checked_way(name, source["dialect"], words)
        with self.project.writing("desireline source"):
            self.project.record.change("source", {**source, **values})
        self.forget()
        return self.named(name)

    def setting(self, name: str) -> dialects.Setting:
        """What a dialect needs to know of a source."""
        if name not in self._settings:
            source = next((each for each in self.all() if each["name"] == name), {})
            file = self.project.settings
            self._settings[name] = dialects.Setting(
                source=name,
                project_zone=file["time_zone"],
                currency=file["currency"],
                country_code=file["country_code"],
                server_side=bool(source.get("server_side")),
                recipe=intake.read_recipe(source["recipe"], name=f"recipe of {name}") if source.get("recipe") else None,
                own_addresses=tuple(file.get("own_addresses", "").split()),
            )
        return self._settings[name]

    def forget(self) -> None:
        """Sources or settings changed: look again, and tell who keeps them."""
        self._settings.clear()
        if not self._made_again:
            for told in self.changed:
                told()

    @contextmanager
    def made_again(self) -> Iterator[None]:
        """While the sources are made again from the log, whoever keeps them goes on with those of before.

        Else whoever sends meanwhile would be told that nobody knows its key, and would throw away what it has.
        """
        self._made_again = True
        try:
            yield
        finally:
            self._made_again = False
            self.forget()

    def table(self) -> Table:
        """The sources as a list; keys are write-only and public by nature."""
        rows = self.all()
        names = ("name", "dialect", "key", "origins", "per_second", "recipe", "enabled", "says")
        says = f"{counted(len(rows), 'source')}." if rows else "No sources yet. Connect one: desireline source add NAME"
        columns: dict[str, list[Any]] = {name: [row[name] for row in rows] for name in names}
        columns["recipe"] = [recipe_name(row["recipe"]) for row in rows]
        columns["origins"] = [" ".join(row["origins"]) or "any" for row in rows]
        if any(row["mail"] for row in rows):
            columns["letters"] = [self.project.letters.says(row) for row in rows]
        return Table(says=says, columns=columns, counted="one line for each source that may send interactions")

    def _recipe_text(self, name: str) -> str:
        """The text of the project's recipe of that name, or of one that comes with us, copied into the project."""
        path = self.project.folder / "recipes" / f"{name}.yaml"
        if not path.exists():
            if name not in intake.built_in_names():
                known = [*intake.built_in_names(), *(each.stem for each in path.parent.glob("*.yaml"))]
                hint = nearest(name, known) or f"Known: {', '.join(sorted(known))}."
                raise DesirelineError(f"there is no recipe '{name}'. {hint}")
            path.parent.mkdir(exist_ok=True)
            path.write_text(intake.built_in_text(name), encoding="utf-8")
        text = path.read_text(encoding="utf-8")
        intake.read_recipe(text, name=path.name)
        return text

    def _checked_way(self, name: str, dialect: str, words: dict[str, Any]) -> dict[str, Any]:
        """Words of how letters come in, as they are; a clear error when they cannot hold beside the other sources."""
        way = way_of(words)
        if way is None:
            return words
        if dialect != "email":
            raise DesirelineError(f"a source of dialect {dialect} takes no letters. Add one with: --dialect email")
        others = {each["name"]: way_of(each["mail"]) for each in self.all() if each["name"] != name and each["mail"]}
        for other, taken in others.items():
            if isinstance(way, Receiving) and isinstance(taken, Receiving) and taken.port == way.port:
                raise DesirelineError(f"source '{other}' listens at port {way.port} already. Name another port.")
            if isinstance(way, Mailbox) and isinstance(taken, Mailbox) and taken.place == way.place:
                raise DesirelineError(f"source '{other}' fetches this mailbox already. Its letters would count twice.")
        if len(others) >= MOST_WAYS_OF_LETTERS:
            raise DesirelineError(f"{MOST_WAYS_OF_LETTERS} sources bring letters in already. End one of them first.")
        return words

    def _check(self, name: str, dialect: str, origins: Sequence[str], recipe: str) -> None:
        if not _NAME.fullmatch(name):
            raise DesirelineError(f"'{name}' is no name for a source. Use small letters, digits and -: web-shop.")
        if any(each["name"] == name for each in self.all()):
            raise DesirelineError(f"there is a source '{name}' already.")
        if dialect not in dialects.DIALECTS:
            hint = nearest(dialect, list(dialects.DIALECTS)) or f"Known: {', '.join(sorted(dialects.DIALECTS))}."
            raise DesirelineError(f"unknown dialect '{dialect}'. {hint}")
        for origin in origins:
            if not re.fullmatch(r"https?://[a-z0-9.\-\[\]:]+", origin):
                raise DesirelineError(f"'{origin}' is not an origin. Write https://shop.example without a path.")
        if dialect == "recipe" and not recipe:
            raise DesirelineError("a source of recipes needs one. Name it with --recipe.")


def recipe_name(text: str) -> str:
    """The name a recipe gives itself; empty without a recipe."""
    return intake.read_recipe(text, name="recipe").name if text else ""
