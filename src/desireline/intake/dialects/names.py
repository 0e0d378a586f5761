"""What an event is called: the client's name for it as a touchpoint, the channel it came by."""

from __future__ import annotations

import re
from functools import lru_cache

LONGEST_TOUCHPOINT = 200

_PARTED = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD = re.compile(r"[^\W_]+")
_DOTTED = re.compile(r"\S*[^\s.]\.[^\s.]\S*")
_DONE = """
    sent bought paid lost read seen made begun found left met won held kept told given taken broken chosen spoken
    written shown known grown thrown drawn withdrawn bound built caught felt heard hung laid led lent meant put run
    sold set shut spent swiped understood upset
"""
_DONE_WORDS = frozenset(re.findall(r"\w+", _DONE))
"""Words that say something was done although they do not end in -ed."""

APP_LIBRARIES = ("ios", "android", "kotlin", "swift", "react-native", "react_native", "flutter", "maui", "cordova",
                 "unity", "capacitor", "xamarin", "roku", "analytics-cpp")  # fmt: skip
WEB_LIBRARIES = frozenset(
    ("analytics.js", "analytics-next", "@segment/analytics-next", "rudderlabs javascript sdk", "web", "posthog-js",
     "@rudderstack/analytics-js", "rudderanalytics", "desireline.js", "js", "gtm", "ajs")
)  # fmt: skip


@lru_cache(maxsize=8_192)
def touchpoint_of(name: str) -> str:
    """An event's name as a touchpoint: what it is about, a dot, what was done.

    Words in small letters, joined by `_`; when the last word says something was done it stands after
    a dot. A name that has dots of its own and no spaces is kept letter by letter.

    >>> touchpoint_of("Order Completed"), touchpoint_of("productListViewed"), touchpoint_of("card.reported_lost")
    ('order.completed', 'product_list.viewed', 'card.reported_lost')
    >>> touchpoint_of("Signed Up"), touchpoint_of("newsletter_signup")
    ('signed_up', 'newsletter_signup')
    """
    name = name.strip()
    if _DOTTED.fullmatch(name):
        return name[:LONGEST_TOUCHPOINT]
    words = [word.lower() for word in _WORD.findall(_PARTED.sub(" ", name.replace("'", "").replace("’", "")))]
    if not words:
        return name[:LONGEST_TOUCHPOINT]
    done = words[-1]
    if len(words) > 1 and (done.endswith("ed") or done in _DONE_WORDS):
        return f"{'_'.join(words[:-1])}.{done}"[:LONGEST_TOUCHPOINT]
    return "_".join(words)[:LONGEST_TOUCHPOINT]


def channel_of_library(name: str) -> str:
    """The channel a client library speaks for: `web`, `app`, or `server` when it runs at the company.

    >>> [channel_of_library(name) for name in ("analytics.js", "analytics-swift", "analytics-python")]
    ['web', 'app', 'server']
    """
    small = name.lower()
    if small in WEB_LIBRARIES:
        return "web"
    if any(word in small for word in APP_LIBRARIES):
        return "app"
    return "server"
