"""The bank's customers: names, segments, followers, and every handle a system may know them by."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from desireline.world.clock import Numbers
from desireline.world.moments import LOUD_FOLLOWERS, LOUD_PERSON, QUIET_FOLLOWERS, QUIET_PERSON
from desireline.world.streams import many, many_between

FIRST_NAMES = [
    "anna",
    "bruno",
    "clara",
    "david",
    "elena",
    "felix",
    "greta",
    "hannes",
    "ida",
    "jonas",
    "katrin",
    "lukas",
    "marie",
    "nils",
    "olga",
    "paul",
    "rosa",
    "stefan",
    "tina",
    "uwe",
    "vera",
    "walter",
    "yvonne",
    "zoe",
    "amir",
    "bianca",
    "cem",
    "dora",
    "emil",
    "farah",
    "goran",
    "hilde",
]
LAST_NAMES = [
    "albers",
    "brandt",
    "claus",
    "dorn",
    "ebert",
    "fischer",
    "gruber",
    "huber",
    "imhof",
    "jansen",
    "keller",
    "lorenz",
    "maier",
    "neumann",
    "otto",
    "peters",
    "quandt",
    "richter",
    "schulz",
    "thiel",
    "ulrich",
    "vogel",
    "weber",
    "yilmaz",
    "ziegler",
    "abel",
    "busch",
    "conrad",
    "dietz",
    "engel",
    "frank",
    "groth",
]
MAIL_DOMAINS = ("post.example", "mail.example", "briefe.example", "inbox.example", "net.example")
SEGMENTS = ("everyday", "family", "student", "business", "private")
REGIONS = ("Nord", "Ost", "Süd", "West", "Mitte")
_TABLE, _FOLLOWERS = 20, 21
_SEGMENT_BOUNDS = (450, 700, 830, 940)
_FOLLOWER_STEPS = (0, 0, 20, 35, 60, 90, 150, 240, 400, 900)


class People(NamedTuple):
    """One row per customer, numbered from 1; texts as codes. Followers are independent of everything else."""

    number: Numbers
    first_name: Numbers
    last_name: Numbers
    mail_domain: Numbers
    segment: Numbers
    region: Numbers
    followers: Numbers
    customer_key: Numbers
    phone_key: Numbers
    card_key: Numbers
    cookie_key: Numbers
    device_key: Numbers


def people_of(*, seed: int, people: int) -> People:
    """Every customer of a world; a pure function of seed and number."""
    number = np.arange(1, people + 1, dtype=np.int64)

    def chance(place: int, high: int) -> Numbers:
        return many_between(seed=seed, numbers=number, mechanism=_TABLE, place=place, high=high)

    first, last = chance(1, len(FIRST_NAMES)), chance(2, len(LAST_NAMES))
    first[: min(4, people)] = last[: min(4, people)] = np.arange(min(4, people))
    return People(
        number=number,
        first_name=first,
        last_name=last,
        mail_domain=chance(3, len(MAIL_DOMAINS)),
        segment=np.searchsorted(np.array(_SEGMENT_BOUNDS), chance(0, 1000), side="right").astype(np.int64),
        region=chance(4, len(REGIONS)),
        followers=_followers(seed=seed, number=number),
        customer_key=scattered(number, 0),
        phone_key=scattered(number, 1),
        card_key=scattered(number, 2),
        cookie_key=many(seed=seed, numbers=number, mechanism=_TABLE, place=5),
        device_key=many(seed=seed, numbers=number, mechanism=_TABLE, place=6),
    )


def _followers(*, seed: int, number: Numbers) -> Numbers:
    def chance(place: int, high: int) -> Numbers:
        return many_between(seed=seed, numbers=number, mechanism=_FOLLOWERS, place=place, high=high)

    followers = np.array(_FOLLOWER_STEPS, np.int64)[chance(0, 10)] * (70 + chance(2, 60)) // 100
    followers = np.where(chance(1, 1000) < 4, 20_000 + chance(3, 580_000), followers).astype(np.int64)
    followers[number == QUIET_PERSON] = QUIET_FOLLOWERS
    followers[number == LOUD_PERSON] = LOUD_FOLLOWERS
    return followers


_PRIME = 999_999_937
_FACTORS = (387_420_489, 645_497_203, 271_828_183, 314_159_269)


def scattered(number: Numbers, which: int) -> Numbers:
    """A number of up to nine digits for each number, never the same twice (a product modulo a prime)."""
    return number * _FACTORS[which] % _PRIME
