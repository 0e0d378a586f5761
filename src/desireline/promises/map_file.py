"""Reading a map file: every mistake at once, each with its line, its column and the nearest known word."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path as FilePath
from typing import Any

from desireline.promises.maps import AtMost, IfBroken, Map, Phase, Promise, Step, Within
from desireline.promises.patterns import Condition, Pattern, Test, read_pattern, shown
from desireline.promises.reading import Reading
from desireline.promises.shape import Path, check_shape, schema
from desireline.storage.documents import Document
from desireline.vocabulary.errors import DesirelineError, Mistake, nearest
from desireline.vocabulary.units import Duration

EVERYONE = "everyone"


def load_map(text: str, file_name: str, calendars: Collection[str] = (), *, project_calendar: str = "") -> Map:
    """A map from the text of its file; raises `DesirelineError` with every mistake found.

    calendars: the names of the project's calendars. project_calendar: the one that working time
    is counted by when neither promise nor map names one; the only one, when there is one.
    """
    reading = Reading(Document(text=text, name=file_name))
    body = reading.document.body
    if not isinstance(body, Mapping):
        raise DesirelineError(Mistake("is not a map.", where=file_name, line=1, column=1, do="Begin with 'map: name'."))
    check_shape(reading, (), body, schema())
    only = next(iter(calendars)) if len(calendars) == 1 else ""
    found = _MapReader(reading, frozenset(calendars), project_calendar or only).read(text, file_name)
    if reading.mistakes:
        raise DesirelineError(sorted(reading.mistakes, key=lambda each: (each.line or 0, each.column or 0)))
    return found


def load_maps(folder: FilePath, calendars: Collection[str] = (), *, project_calendar: str = "") -> tuple[Map, ...]:
    """Every map of a folder (`maps/*.yaml`) by name; mistakes of all files together."""
    maps: dict[str, Map] = {}
    mistakes: list[Mistake] = []
    for file in sorted((*folder.glob("*.yaml"), *folder.glob("*.yml"))):
        try:
            text = file.read_text(encoding="utf-8")
            each = load_map(text, file.name, calendars, project_calendar=project_calendar)
        except UnicodeDecodeError:
            mistakes.append(Mistake("is not UTF-8 text.", where=file.name, do="Save the file as UTF-8."))
            continue
        except DesirelineError as error:
            mistakes += error.mistakes
            continue
        if each.name in maps:
            what = f"map '{each.name}' stands in {maps[each.name].file_name} too."
            mistakes.append(Mistake(what, where=file.name, line=1, column=1, do="Give one of them another name."))
        maps[each.name] = each
    if mistakes:
        raise DesirelineError(mistakes)
    return tuple(maps[name] for name in sorted(maps))


class _MapReader:
    """Turns the words of one document into a map; what cannot be read is noted and left out."""

    def __init__(self, reading: Reading, calendars: frozenset[str], project_calendar: str) -> None:
        self.reading = reading
        self.calendars = calendars
        self.project_calendar = project_calendar
        self.body: Mapping[str, Any] = reading.document.body

    def read(self, text: str, file_name: str) -> Map:
        quiet_after = self.quiet_after()
        phases = self.phases()
        promises = self.promises(phases)
        self.warn_without_same(promises)
        return Map(
            name=_text(self.body, "map"),
            says=_text(self.body, "says"),
            file_name=file_name,
            text=text,
            promises=tuple(promises.values()),
            phases=phases,
            who=self.who((), self.body),
            owner=_text(self.body, "owner"),
            calendar=self.calendar((), self.body) or self.project_calendar,
            valid_from=self.valid_from(),
            begins=self.pattern(("begins",), self.body),
            ends=self.pattern(("ends",), self.body),
            quiet_after=quiet_after,
            warnings=tuple(self.reading.warnings),
            places={name: self.reading.document.place(("promises", i)) for i, name in enumerate(promises)},
        )

    def pattern(self, path: Path, node: Mapping[str, Any]) -> Pattern | None:
        word = str(path[-1])
        return read_pattern(self.reading, path, node[word]) if word in node else None

    def who(self, path: Path, node: Mapping[str, Any]) -> Pattern | None:
        value = node.get("for", EVERYONE)
        if value == EVERYONE:
            return None
        if isinstance(value, str):
            hint = nearest(value, (EVERYONE,)) or "Write everyone, or a pattern such as {product: gold}."
            self.reading.refuse((*path, "for"), f"'for' does not know '{value}'.", hint)
            return None
        return read_pattern(self.reading, (*path, "for"), value)

    def calendar(self, path: Path, node: Mapping[str, Any]) -> str:
        name = _text(node, "calendar")
        if name and name not in self.calendars:
            hint = nearest(name, sorted(self.calendars)) or "Add it to calendars in desireline.yaml."
            self.reading.refuse((*path, "calendar"), f"calendar '{name}' does not exist.", hint)
        return name

    def duration(self, path: Path, node: Any) -> Duration | None:
        if not isinstance(node, str):
            what = f"'{path[-1]}' must be a duration, not {shown(node)}."
            self.reading.refuse(path, what, "Write a number and a unit, such as '5 minutes'.")
            return None
        try:
            found = Duration.parse(node)
        except DesirelineError as error:
            for mistake in error.mistakes:
                self.reading.refuse(path, mistake.what, mistake.do)
            return None
        if found.kind != "elapsed" and found.amount == 0:
            self.reading.refuse(path, f"'{node}' is no working time.", "Write at least 1 working minute or day.")
        return found

    def quiet_after(self) -> int | None:
        if "quiet_after" not in self.body:
            return None
        found = self.duration(("quiet_after",), self.body["quiet_after"])
        if found and (found.kind != "elapsed" or found.amount == 0):
            self.reading.refuse(
                ("quiet_after",), f"'{found.says}' cannot be a quiet time.", "Write plain days, such as '60 days'."
            )
        return found.amount if found else None

    def valid_from(self) -> int | None:
        value = self.body.get("valid_from")
        if value is None:
            return None
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                value = None
        elif not isinstance(value, datetime) and isinstance(value, date):
            value = datetime.combine(value, time())
        if not isinstance(value, datetime):
            self.reading.refuse(
                ("valid_from",), "'valid_from' is not a moment.", "Write 2026-01-31 or 2026-01-31T08:00:00Z."
            )
            return None
        return round((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp() * 1000)

    def phases(self) -> tuple[Phase, ...]:
        found = []
        names: set[str] = set()
        for i, node in enumerate(_mappings(self.body.get("phases"))):
            name = _text(node, "phase")
            self.once(("phases", i, "phase"), "phase", name, names)
            found.append(Phase(name, _text(node, "sale"), self.steps(("phases", i, "steps"), name, node)))
        return tuple(found)

    def steps(self, path: Path, phase: str, node: Mapping[str, Any]) -> tuple[Step, ...]:
        found = []
        names: set[str] = set()
        for i, each in enumerate(_mappings(node.get("steps"))):
            name = _text(each, "step")
            self.once((*path, i, "step"), "step", name, names)
            words = {word: _text(each, word) for word in ("control", "needs", "front", "back", "system", "owner")}
            feels, outcome = each.get("feels"), each.get("outcome")
            found.append(
                Step(
                    name,
                    phase,
                    self.step_pattern((*path, i), each),
                    feels=feels if isinstance(feels, int) else None,
                    outcome={str(k): str(v) for k, v in outcome.items()} if isinstance(outcome, Mapping) else {},
                    **words,
                )
            )
        return tuple(found)

    def step_pattern(self, path: Path, node: Mapping[str, Any]) -> Pattern | None:
        conditions: list[Condition] = []
        for word in ("touchpoint", "channel"):
            if word in node:
                found = read_pattern(self.reading, path, {word: node[word]})
                if found and not all(isinstance(value, str) for value in _listed(node[word])):
                    self.reading.refuse((*path, word), f"'{word}' of a step must be a text or a list of texts.")
                conditions += found.conditions if found else ()
        return Pattern(tuple(conditions)) if "touchpoint" in node and conditions else None

    def promises(self, phases: tuple[Phase, ...]) -> dict[str, Promise]:
        found: dict[str, Promise] = {}
        names: set[str] = set()
        steps = [f"{step.phase}/{step.name}" for phase in phases for step in phase.steps]
        for i, node in enumerate(_mappings(self.body.get("promises"))):
            path: Path = ("promises", i)
            self.once((*path, "promise"), "promise", _text(node, "promise"), names)
            promise = self.promise(path, node)
            if promise.at and promise.at not in steps:
                hint = nearest(promise.at, steps) or "Write 'Phase/step' of a step in this map."
                self.reading.refuse((*path, "at"), f"there is no step '{promise.at}'.", hint)
            found[promise.name] = promise
        return found

    def promise(self, path: Path, node: Mapping[str, Any]) -> Promise:
        nothing = Pattern((Condition("touchpoint", (Test("is", ("",)),)),))
        promise = Promise(
            name=_text(node, "promise"),
            says=_text(node, "says"),
            when=self.pattern((*path, "when"), node) or nothing,
            at=_text(node, "at"),
            who=self.who(path, node),
            then=self.pattern((*path, "then"), node),
            never=self.pattern((*path, "never"), node),
            at_most=self.at_most((*path, "at_most"), node.get("at_most")),
            within=self.within((*path, "within"), node.get("within")),
            same=_text(node, "same"),
            unless=self.pattern((*path, "unless"), node),
            if_broken=self.if_broken((*path, "if_broken"), node.get("if_broken")),
            consent=_text(node, "consent"),
            calendar=self.calendar(path, node) or _text(self.body, "calendar") or self.project_calendar,
            keep=self.share((*path, "keep"), node.get("keep")),
            public=node.get("public") is True,
            critical=node.get("critical") is True,
        )
        self.refuse_empty(path, node, promise)
        return promise

    def refuse_empty(self, path: Path, node: Mapping[str, Any], promise: Promise) -> None:
        name = promise.name
        if not any(word in node for word in ("then", "never", "at_most")):
            self.reading.refuse(path, f"promise '{name}' promises nothing.", "It needs 'then', 'never' or 'at_most'.")
        elif "within" not in node and "quiet_after" not in self.body and ("then" in node or "at_most" not in node):
            self.reading.refuse(path, f"promise '{name}' has no end.", "Give it 'within', or the map 'quiet_after'.")
        durations = [*(promise.within.durations() if promise.within else ())]
        durations += [each.within for each in (promise.at_most, promise.if_broken) if each]
        if any(each.kind != "elapsed" for each in durations) and not promise.calendar:
            what = f"promise '{name}' counts working time, and no calendar is named."
            self.reading.refuse(path, what, "Name a 'calendar' here, in the map or in desireline.yaml.")
        if promise.consent and "then" not in node:
            self.reading.warn((*path, "consent"), f"promise '{name}' asks for consent but has no 'then'.")

    def at_most(self, path: Path, node: Any) -> AtMost | None:
        if not isinstance(node, Mapping):
            return None
        of = self.pattern((*path, "of"), node)
        within = self.duration((*path, "within"), node["within"]) if "within" in node else None
        count = node.get("count")
        return AtMost(count, of, within) if of and within and isinstance(count, int) else None

    def if_broken(self, path: Path, node: Any) -> IfBroken | None:
        if not isinstance(node, Mapping):
            return None
        then = self.pattern((*path, "then"), node)
        within = self.duration((*path, "within"), node["within"]) if "within" in node else None
        return IfBroken(then, within) if then and within else None

    def within(self, path: Path, node: Any) -> Within | None:
        if node is None:
            return None
        if not isinstance(node, Mapping):
            return Within(found) if (found := self.duration(path, node)) else None
        if not node:
            self.reading.refuse(path, "'within' names no channel.", "Write {phone: 2 minutes, email: 4 working hours}.")
            return None
        each = {str(channel): self.duration((*path, channel), value) for channel, value in node.items()}
        return Within(by_channel={channel: found for channel, found in each.items() if found})

    def share(self, path: Path, node: Any) -> float | None:
        if not isinstance(node, str):
            return None
        try:
            percent = float(node.strip().removesuffix("%"))
        except ValueError:
            percent = -1.0
        if not node.strip().endswith("%") or not 0 < percent <= 100:
            self.reading.refuse(path, f"'{node}' is not a share.", "Write a percentage, such as '99 %'.")
        return percent / 100

    def once(self, path: Path, what: str, name: str, names: set[str]) -> None:
        if name and name in names:
            self.reading.refuse(path, f"{what} '{name}' stands twice.", "Give one of them another name.")
        names.add(name)

    def warn_without_same(self, promises: Mapping[str, Promise]) -> None:
        keys = sorted({promise.same for promise in promises.values() if promise.same})
        for i, promise in enumerate(promises.values()):
            if promise.then and not promise.same and keys:
                what = f"promise '{promise.name}' has 'then' without 'same', and people can have several at once."
                self.reading.warn(
                    ("promises", i), what, f"Add 'same: {keys[0]}' if an answer to another one must not count."
                )


def _text(node: Mapping[str, Any], word: str) -> str:
    value = node.get(word)
    return str(value) if isinstance(value, str) else ""


def _mappings(node: Any) -> list[Mapping[str, Any]]:
    return [each if isinstance(each, Mapping) else {} for each in node] if isinstance(node, list) else []


def _listed(node: Any) -> list[Any]:
    return list(node) if isinstance(node, list) else [node]
