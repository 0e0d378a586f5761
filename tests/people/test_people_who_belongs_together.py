"""The rules of who is who: caps at their borders, chains and loops, and order that changes nothing."""

from __future__ import annotations

import numpy as np
import pytest

from desireline.people import Changes, Handles, Links, Resolution, changes, resolve, warm
from desireline.people.resolve import build, grow, resolution
from desireline.vocabulary.handles import rank

Pair = tuple[str, str] | tuple[str, str, int]


class Told:
    """Handles by name, numbered in the order they are first told of, so that the first has the smallest id."""

    def __init__(self, *pairs: Pair, shared: tuple[str, ...] = ()) -> None:
        self.number: dict[str, int] = {}
        for pair in pairs:
            for name in pair[:2]:
                self.number.setdefault(str(name), len(self.number) + 1)
        ids = np.array(list(self.number.values()), np.int64)
        ranks = np.array([rank(name.split(":")[0]) for name in self.number], np.int8)
        self.handles = Handles(ids, ranks, np.array([name in shared for name in self.number], np.bool_))
        self.links = Links(
            np.array([self.number[pair[0]] for pair in pairs], np.int64),
            np.array([self.number[pair[1]] for pair in pairs], np.int64),
            np.array([pair[2] if len(pair) > 2 else 1 for pair in pairs], np.int64),
        )
        self.resolution: Resolution = resolve(self.handles, self.links)

    def person(self, name: str) -> int:
        return self.resolution.person_of(self.number[name])

    def together(self, *names: str) -> bool:
        return len({self.person(name) for name in names}) == 1

    def reason(self, name: str) -> str:
        return self.resolution.reason_of(self.number[name])


def test_strong_handles_join_along_a_chain_and_a_loop_is_no_harm() -> None:
    told = Told(("email:a", "email:b"), ("email:b", "email:c"), ("email:c", "email:a"), ("email:c", "email:c"))
    assert told.together("email:a", "email:b", "email:c")
    assert told.person("email:c") == told.number["email:a"]
    assert told.resolution.persons == 1


def test_a_thousand_aliases_in_a_row_are_one_person() -> None:
    told = Told(*[(f"email:{n}", f"email:{n + 1}") for n in range(1000)])
    assert told.together("email:0", "email:1000")


def test_a_weak_handle_goes_with_the_person_it_was_seen_with_most_and_joins_nobody() -> None:
    told = Told(("crm:1", "cookie:x", 2), ("crm:2", "cookie:x", 3))
    assert told.person("cookie:x") == told.person("crm:2") != told.person("crm:1")


def test_seen_equally_often_it_goes_with_the_smallest_person() -> None:
    told = Told(("crm:1", "email:1"), ("crm:2", "cookie:x", 2), ("crm:1", "cookie:x"), ("email:1", "cookie:x"))
    assert told.person("cookie:x") == told.person("crm:1")


@pytest.mark.parametrize(("persons", "shared"), [(5, False), (6, True)])
def test_a_cookie_of_five_persons_is_kept_and_of_six_is_shared(persons: int, shared: bool) -> None:
    told = Told(*[(f"crm:{n}", "cookie:x") for n in range(persons)])
    assert (told.person("cookie:x") == told.number["cookie:x"]) is shared
    assert told.reason("cookie:x") == ("a weak handle seen with more than 5 different persons" if shared else "")
    assert told.resolution.persons == persons + shared


@pytest.mark.parametrize(("numbers", "shared"), [(5, False), (6, True)])
def test_an_address_with_five_customer_numbers_joins_and_with_six_is_shared(numbers: int, shared: bool) -> None:
    told = Told(*[(f"crm:{n}", "email:office") for n in range(numbers)])
    assert told.resolution.persons == (numbers + 1 if shared else 1)
    assert told.reason("email:office") == ("seen with more than 5 different crm handles" if shared else "")


@pytest.mark.parametrize(("addresses", "shared"), [(20, False), (21, True)])
def test_a_phone_with_twenty_addresses_joins_and_with_twenty_one_is_shared(addresses: int, shared: bool) -> None:
    told = Told(*[(f"email:{n}", "phone:desk") for n in range(addresses)])
    assert told.resolution.persons == (addresses + 1 if shared else 1)
    assert bool(told.reason("phone:desk")) is shared


@pytest.mark.parametrize(("cookies", "shared"), [(200, False), (201, True)])
def test_a_device_with_two_hundred_cookies_is_one_persons_and_with_more_a_kiosk(cookies: int, shared: bool) -> None:
    told = Told(("crm:1", "device:d"), *[("device:d", f"cookie:{n}") for n in range(cookies)])
    assert told.together("crm:1", "device:d") is not shared
    assert told.resolution.persons == (cookies + 2 if shared else 1)


def test_a_weak_handle_passes_on_the_person_it_goes_with() -> None:
    told = Told(("crm:1", "device:d"), ("device:d", "cookie:c"), ("cookie:c", "loyalty:l"))
    assert told.together("crm:1", "device:d", "cookie:c", "loyalty:l")


def test_a_known_person_comes_before_a_device_nobody_is_known_by() -> None:
    told = Told(("device:d", "cookie:c", 100), ("crm:1", "cookie:c"))
    assert told.together("crm:1", "cookie:c") and not told.together("crm:1", "device:d")


def test_a_device_nobody_is_known_by_keeps_its_cookies_together() -> None:
    told = Told(("device:d", "cookie:1"), ("device:d", "cookie:2"))
    assert told.together("device:d", "cookie:1", "cookie:2")


def test_a_cookie_seen_on_six_unknown_devices_is_shared() -> None:
    assert Told(*[(f"device:{n}", "cookie:c") for n in range(6)]).reason("cookie:c")


def test_a_handle_whose_value_names_nobody_joins_nobody_and_counts_for_nobody() -> None:
    shared = tuple(f"crm:{n}" for n in range(1, 7))
    told = Told(*[(name, "email:a") for name in shared], ("email:a", "crm:9"), shared=shared)
    assert told.together("email:a", "crm:9") and not told.reason("email:a")
    assert told.resolution.persons == 7
    assert told.reason("crm:1") == "its value names nobody in particular"


def test_a_handle_never_seen_is_a_person_by_itself() -> None:
    assert resolve(*nothing()).person_of(77) == 77
    assert resolve(*nothing()).reason_of(77) == ""


def nothing() -> tuple[Handles, Links]:
    none = np.zeros(0, np.int64)
    return Handles(none, none.astype(np.int8), none.astype(np.bool_)), Links(none, none, none)


def test_a_link_to_a_handle_that_was_not_given_is_refused() -> None:
    one = np.ones(1, np.int64)
    with pytest.raises(ValueError, match="not given"):
        resolve(nothing()[0], Links(one, one + 1, one))


def test_kernels_can_be_warmed() -> None:
    warm()
    assert resolve(*nothing()).persons == 0


def test_a_demoted_address_parts_those_it_had_joined_and_back() -> None:
    told = Told(*[(f"crm:{n}", "email:office") for n in range(6)])
    last = some(told.links, np.array([5]))
    directory = build(told.handles, some(told.links, np.arange(5)))
    joined = resolution(directory)
    parted = grow(directory, nothing()[0], last)
    assert resolution(parted.directory).persons == 7 and joined.persons == 2
    again = grow(parted.directory, nothing()[0], last.taken_back())
    assert same(resolution(again.directory), joined)
    assert sorted(pairs(parted.changes)) == sorted((h, new, old) for h, old, new in pairs(again.changes))


@pytest.mark.parametrize("seed", range(60))
def test_order_changes_nothing_and_growing_ends_as_building_afresh(seed: int) -> None:
    chance = np.random.default_rng(seed)
    handles, links = random_log(chance)
    count = len(links.seen)
    order, other_order = chance.permutation(count), chance.permutation(len(handles.handle))
    afresh = resolve(handles, links)
    turned = Links(links.handle_b[order], links.handle_a[order], links.seen[order])
    shuffled = Handles(*(column[other_order] for column in (handles.handle, handles.rank, handles.known_value)))
    assert same(afresh, resolve(shuffled, turned))
    cut = int(chance.integers(0, count + 1))
    early, late = some(links, order[:cut]), some(links, order[cut:])
    begun = build(handles, early)
    before = resolution(begun)
    grown = grow(begun, handles, late)
    assert same(resolution(grown.directory), afresh)
    assert pairs(grown.changes) == pairs(changes(before, afresh))
    assert set(grown.changes.handles.tolist()) <= set(grown.written.tolist())
    back = grow(grown.directory, handles, late.taken_back())
    assert same(resolution(back.directory), before)
    assert pairs(back.changes) == pairs(changes(afresh, before))
    swapped = Links(*(np.concatenate(both) for both in zip(columns(late), columns(early.taken_back()), strict=True)))
    assert same(resolution(grow(back.directory, handles, swapped).directory), resolve(handles, late))


@pytest.mark.parametrize("seed", range(10))
def test_handles_that_come_later_find_room(seed: int) -> None:
    handles, links = random_log(np.random.default_rng(seed))
    directory = build(*nothing())
    for link in range(len(links.seen)):
        directory = grow(directory, handles, some(links, np.array([link]))).directory
    assert same(resolution(directory), resolve(handles, links))


def test_no_person_is_larger_than_strong_links_make_it() -> None:
    told = Told(*[(f"crm:{n}", "cookie:kiosk") for n in range(500)], *[(f"crm:{n}", "email:info") for n in range(500)])
    assert told.resolution.persons == 502


@pytest.mark.long
def test_a_kiosk_with_a_hundred_thousand_people_is_found_out_in_time() -> None:
    people = np.arange(1, 100_001, dtype=np.int64)
    handles = Handles(
        np.append(people, 200_000), np.append(np.zeros(100_000), 7).astype(np.int8), np.zeros(100_001, np.bool_)
    )
    links = Links(people, np.full(100_000, 200_000), np.ones(100_000, np.int64))
    directory = build(handles, some(links, np.arange(5)))
    assert resolution(directory).persons == 100_000
    grown = grow(directory, nothing()[0], some(links, np.arange(5, 100_000)))
    assert resolution(grown.directory).persons == 100_001
    assert len(grown.changes) == 1


def random_log(chance: np.random.Generator) -> tuple[Handles, Links]:
    """A small log crowded enough that every cap is met."""
    count, drawn = int(chance.integers(4, 60)), int(chance.integers(1, 150))
    ids = chance.choice(1000, count, replace=False).astype(np.int64) + 1
    ranks = chance.choice(9, count, p=[0.2, 0.05, 0.3, 0.1, 0.02, 0.03, 0.1, 0.15, 0.05]).astype(np.int8)
    seen = chance.integers(1, 4, drawn).astype(np.int64)
    links = Links(chance.choice(ids, drawn), chance.choice(ids, drawn), seen).gathered()
    return Handles(ids, ranks, chance.random(count) < 0.05), links


def some(links: Links, which: np.ndarray) -> Links:
    return Links(*(column[which] for column in columns(links)))


def columns(links: Links) -> tuple[np.ndarray, ...]:
    return links.handle_a, links.handle_b, links.seen


def same(one: Resolution, other: Resolution) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ("handle", "person", "why"))


def pairs(found: Changes) -> list[tuple[int, int, int]]:
    return list(zip(found.handles.tolist(), found.old_person.tolist(), found.new_person.tolist(), strict=True))
