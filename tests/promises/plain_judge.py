"""A slow and plain judge of promises, written from the definition alone, to check the real judge by.

It walks one instance at a time, one moment at a time, over plain dictionaries. Nothing here is shared
with the package: patterns, durations, calendars and verdicts are all worked out again. Every rule
cites the sentence of the definition (`promises.md`) it stands for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from promises.plain_calendar import after, elapsed
from promises.plain_patterns import Interaction, Pattern, is_meant, matches, nearly

BREACH_ORDER = ("forbidden", "repeated", "without_consent", "wrong_channel", "wrong_hands", "late", "missing")
HANDS = ("hands", "role", "power")


def judge(
    interactions: list[Interaction],
    maps: list[tuple[int, dict[str, Any]]],
    calendars: dict[str, Any],
    as_of: int,
) -> list[dict[str, Any]]:
    """Every instance of every promise, one plain row each, judged with what was known at `as_of`.

    `maps` holds every version of every map in the order they were saved, each with the moment (UTC
    milliseconds) from which it holds. Interactions later than `as_of` do not exist yet.
    """
    known = [one for one in interactions if one["occurred_at"] <= as_of]
    rows = []
    for opening, in_force, number, promise in openings(known, maps):
        if opening.get("person"):  # "An interaction without any handle opens nothing"
            instance = Instance(promise, in_force, opening, known, calendars, as_of)
            rows.append({"map": in_force["map"], "map_version": number} | instance.row())
    return rows


def openings_of_nobody(interactions: list[Interaction], maps: list[tuple[int, dict[str, Any]]], as_of: int) -> int:
    """ "An interaction without any handle opens nothing; it is counted beside the rate"."""
    unknown = [one for one in interactions if one["occurred_at"] <= as_of and not one.get("person")]
    return len(list(openings(unknown, maps)))


Opening = tuple[Interaction, dict[str, Any], int, dict[str, Any]]


def openings(interactions: list[Interaction], maps: list[tuple[int, dict[str, Any]]]) -> Iterator[Opening]:
    """Each interaction with every promise it opens, and the map version in force with its number."""
    for name in sorted({version["map"] for _, version in maps}):  # "Maps judge separately"
        versions = [one for one in maps if one[1]["map"] == name]
        for opening in interactions:
            number, in_force = version_in_force(versions, opening["occurred_at"])
            for promise in in_force["promises"]:
                if opens(promise, in_force, opening):
                    yield opening, in_force, number, promise


def version_in_force(versions: list[tuple[int, dict[str, Any]]], moment: int) -> tuple[int, dict[str, Any]]:
    """ "The first version of a map covers all the past, a later one holds from its `valid_from`"."""
    number, in_force = 1, versions[0][1]
    later = sorted(versions[1:], key=lambda one: one[0])
    for place, (valid_from, version) in enumerate(later):
        if valid_from <= moment:
            number, in_force = place + 2, version
    return number, in_force


def opens(promise: dict[str, Any], in_force: dict[str, Any], interaction: Interaction) -> bool:
    """ "Every interaction that matches `when` opens its own instance"; `for` must hold for it as well."""
    meant = [one.get("for", "everyone") for one in (in_force, promise)]
    return matches(promise["when"], interaction) and all(is_meant(pattern, interaction) for pattern in meant)


# ---------------------------------------------------------------------------------------------- one instance


@dataclass
class Instance:
    """One opened promise of one person, judged moment by moment."""

    promise: dict[str, Any]
    map: dict[str, Any]
    opening: Interaction
    known: list[Interaction]
    calendars: dict[str, Any]
    as_of: int
    verdict: str = "waiting"
    settled: Interaction | None = None
    repeats: int = 0
    breaches: dict[str, tuple[int, Interaction | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.opened_at: int = self.opening["occurred_at"]
        person = self.opening["person"]
        self.same_person = [one for one in self.known if one.get("person") == person]
        self.others = [one for one in self.same_person if self.touches(one)]
        self.quiet_after = elapsed(self.map["quiet_after"]) if "quiet_after" in self.map else None
        self.window_end = self.end_of_window()
        self.due = self.find_due()

    def touches(self, one: Interaction) -> bool:
        """What may play a part in this instance.

        "Other interactions of the same person, at the same moment or later. With `same`, keys must be equal; an
        instance whose opening has no key takes any; an interaction without the key touches no keyed instance."
        "The opening plays no other part in its own instance."
        """
        if one["id"] == self.opening["id"] or one["occurred_at"] < self.opened_at:
            return False
        own_key = self.opening.get(self.promise["same"]) if "same" in self.promise else None
        return own_key is None or one.get(self.promise["same"]) == own_key

    # -- dues

    def later(self, duration: str, start: int) -> int:
        """ "Calendar ... are those in force": the promise's, else the map's, else the project's."""
        named = self.promise.get("calendar") or self.map.get("calendar") or "default"
        return after(duration, start, self.calendars.get(named))

    def end_of_window(self) -> int | None:
        at_most = self.promise.get("at_most")
        return self.later(at_most["within"], self.opened_at) if at_most else None

    def find_due(self) -> int | None:
        """ "Without `within`: the `at_most` window if there is no `then`, else the journey's end."

        "Per channel: the opening's channel; one not listed takes the latest."
        "It never shortens a `within`": the journey's end is looked at only without one.
        """
        within = self.promise.get("within")
        if isinstance(within, dict):
            dues = {channel: self.later(duration, self.opened_at) for channel, duration in within.items()}
            return dues.get(self.opening.get("channel"), max(dues.values()))
        if within is not None:
            return self.later(within, self.opened_at)
        if self.window_end is not None and "then" not in self.promise:
            return self.window_end
        return self.journeys_end()

    def journeys_end(self) -> int | None:
        """ "The next `ends` with the key, or `quiet_after` without a touch that the map names"."""
        last_touch = self.opened_at
        for one in sorted(self.others, key=lambda other: other["occurred_at"]):
            if self.quiet_after is not None and one["occurred_at"] > last_touch + self.quiet_after:
                break
            if "ends" in self.map and matches(self.map["ends"], one):
                return int(one["occurred_at"])
            if any(matches(pattern, one) for pattern in named_by(self.map)):
                last_touch = one["occurred_at"]
        return None if self.quiet_after is None else last_touch + self.quiet_after

    # -- the walk

    def row(self) -> dict[str, Any]:
        """Walk the moments in order until nothing can change any more, then write the row."""
        moments = {self.opened_at, self.due, self.window_end} | {one["occurred_at"] for one in self.others}
        for moment in sorted(one for one in moments if one is not None and one <= self.as_of):
            self.judge_moment(moment)
            if self.verdict in ("kept", "withdrawn"):
                break
        return self.written()

    def judge_moment(self, moment: int) -> None:
        """ "One moment is judged together, in this order: openings; forbidden, repeats, answers without consent;
        settlement; `unless`; then dues that pass." "Of equals the lowest id is the evidence."
        """
        here = sorted((one for one in self.others if one["occurred_at"] == moment), key=lambda one: one["id"])
        self.look_for_forbidden(moment, here)
        self.count_repeats(moment, here)
        self.look_for_answer(moment, here)
        if self.every_part_holds(moment, closing=False):
            self.verdict = "kept"
        elif not self.breaches and self.first("unless", here):
            self.verdict = "withdrawn"  # "`unless` withdraws only before kept or broken"
        else:
            self.pass_due(moment)
            if self.every_part_holds(moment, closing=True):
                self.verdict = "kept"

    def first(self, word: str, here: list[Interaction]) -> Interaction | None:
        """The interaction with the lowest id of this moment that matches a pattern of the promise."""
        if word not in self.promise:
            return None
        return next((one for one in here if matches(self.promise[word], one)), None)

    def breach(self, kind: str, moment: int, by: Interaction | None) -> None:
        """ "Breaches: each kind once, with its first moment"."""
        self.breaches.setdefault(kind, (moment, by))

    def is_open_for_answers(self, moment: int) -> bool:
        """ "Up to `quiet_after` past due it is late ... otherwise missing"; "the first match of `then` settles"."""
        if self.settled is not None:
            return False
        return self.due is None or self.quiet_after is None or moment <= self.due + self.quiet_after

    def look_for_forbidden(self, moment: int, here: list[Interaction]) -> None:
        """ "`never`: such an interaction is forbidden from opening to settlement, else until `quiet_after` past due;
        without `then`, until due."
        """
        until_due = self.due is None or moment <= self.due
        found = self.first("never", here)
        if found and (self.is_open_for_answers(moment) if "then" in self.promise else until_due):
            self.breach("forbidden", moment, found)

    def count_repeats(self, moment: int, here: list[Interaction]) -> None:
        """ "`at_most` counts strictly after the opening to the window's end, settled or not; one more is repeated."""
        if self.window_end is None or not self.opened_at < moment <= self.window_end:
            return
        at_most = self.promise["at_most"]
        found = [one for one in here if matches(at_most["of"], one)]
        self.repeats += len(found)
        if found and self.repeats > at_most["count"]:
            self.breach("repeated", moment, found[0])

    def look_for_answer(self, moment: int, here: list[Interaction]) -> None:
        """ "The first match of `then` settles"; "consent is read at the answer's moment. An answer without it does not
        settle and is without consent, at once."
        """
        answer = self.first("then", here)
        if answer is None or not self.is_open_for_answers(moment):
            return
        if "consent" in self.promise and not self.has_consent(moment):
            self.breach("without_consent", moment, answer)
        else:
            self.settled = answer

    def pass_due(self, moment: int) -> None:
        """What happens when the deadline of an unsettled answer passes."""
        if moment != self.due or "then" not in self.promise or self.settled is not None:
            return
        if "consent" in self.promise and not self.breaches and not self.consent_stood():
            self.verdict = "withdrawn"
            return
        by_due = sorted(
            (one for one in self.others if one["occurred_at"] <= moment),
            key=lambda one: (one["occurred_at"], one["id"]),
        )
        for kind, names in (("wrong_channel", ("channel",)), ("wrong_hands", HANDS)):  # "channel first"
            near = next((one for one in by_due if nearly(self.promise["then"], one, names)), None)
            if near:
                self.breach(kind, moment, near)
                return
        self.breach("missing", moment, None)

    def every_part_holds(self, moment: int, *, closing: bool) -> bool:
        """ "Kept when every part holds: settled in time, window passed, or due passed (`never` alone)."

        A window or a due passes at the close of its moment (`closing`), after `unless`.
        """
        if self.breaches or self.verdict != "waiting":
            return False

        def has_passed(end: int | None) -> bool:
            return end is not None and (end < moment or (closing and end == moment))

        parts = []
        if "then" in self.promise:
            parts.append(self.settled is not None)  # after the due there would be a breach
        if "at_most" in self.promise:
            parts.append(has_passed(self.window_end))
        if "never" in self.promise and "then" not in self.promise:
            parts.append(has_passed(self.due))
        return all(parts)

    # -- consent

    def has_consent(self, moment: int) -> bool:
        """Whether the latest fact about consent known at that moment gives it; in one moment a withdrawal wins."""
        facts = [one for one in self.consent_facts() if one["occurred_at"] <= moment]
        latest = max((one["occurred_at"] for one in facts), default=None)
        last = {one["touchpoint"] for one in facts if one["occurred_at"] == latest}
        return last == {"consent.given"}

    def consent_stood(self) -> bool:
        """ "If consent did not stand from opening to due": at the opening, and at every moment to the due."""
        assert self.due is not None
        changes = {
            one["occurred_at"] for one in self.consent_facts() if self.opened_at < one["occurred_at"] <= self.due
        }
        return all(self.has_consent(moment) for moment in {self.opened_at, *changes})

    def consent_facts(self) -> Iterator[Interaction]:
        for one in self.same_person:
            is_fact = one.get("touchpoint") in ("consent.given", "consent.withdrawn")
            if is_fact and one.get("consent") == self.promise["consent"]:
                yield one

    # -- the row

    def written(self) -> dict[str, Any]:
        """The row of the ledger. "Withdrawn rows have no due."

        "The earliest names the instance; ties: forbidden, repeated, without consent, deadline."
        """
        lateness = None
        if self.settled is not None and self.due is not None and self.settled["occurred_at"] > self.due:
            lateness = (self.settled["occurred_at"] - self.due) // 1000
            if "missing" in self.breaches:  # "Up to `quiet_after` past due it is late (and by how much)"
                moment, _ = self.breaches.pop("missing")
                self.breach("late", moment, self.settled)
        order = sorted(self.breaches, key=lambda kind: (self.breaches[kind][0], BREACH_ORDER.index(kind)))
        breaking = self.breaches[order[0]][1] if order else None
        mended = self.made_good(*self.breaches[order[0]]) if order else None
        return {
            "promise": self.promise["promise"],
            "person": self.opening["person"],
            "key": self.opening.get(self.promise["same"]) if "same" in self.promise else None,
            "channel": self.opening.get("channel"),
            "opening_id": self.opening["id"],
            "opened_at": self.opened_at,
            "due_at": None if self.verdict == "withdrawn" else self.due,
            "settled_at": self.settled["occurred_at"] if self.settled else None,
            "verdict": "broken" if order else self.verdict,
            "breach": order[0] if order else None,
            "breaches": [(kind, self.breaches[kind][0]) for kind in order],
            "lateness_seconds": lateness,
            "settling_id": self.settled["id"] if self.settled else None,
            "breaking_id": breaking["id"] if breaking else None,
            "made_good_at": mended["occurred_at"] if mended else None,
            "made_good_id": mended["id"] if mended else None,
        }

    def made_good(self, broken_at: int, breaking: Interaction | None) -> Interaction | None:
        """ "`if_broken`'s action from the first breach through its `within`"; not the breaking interaction itself."""
        if "if_broken" not in self.promise:
            return None
        until = self.later(self.promise["if_broken"]["within"], broken_at)
        actions = [
            one
            for one in self.others
            if broken_at <= one["occurred_at"] <= until
            and matches(self.promise["if_broken"]["then"], one)
            and not (breaking and one["id"] == breaking["id"] and one["occurred_at"] == broken_at)
        ]
        return min(actions, key=lambda one: (one["occurred_at"], one["id"]), default=None)


def named_by(in_force: dict[str, Any]) -> Iterator[Pattern]:
    """Every pattern of a map: what counts as "a touch that the map names"."""
    for word in ("begins", "ends"):
        if word in in_force:
            yield in_force[word]
    for phase in in_force.get("phases", []):
        for step in phase.get("steps", []):
            if "touchpoint" in step:
                yield {name: step[name] for name in ("touchpoint", "channel") if name in step}
    for promise in in_force["promises"]:
        for word in ("when", "then", "never", "unless"):
            if word in promise:
                yield promise[word]
        if "at_most" in promise:
            yield promise["at_most"]["of"]
        if "if_broken" in promise:
            yield promise["if_broken"]["then"]
