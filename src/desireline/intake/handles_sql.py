"""The spelling of handles as SQL, the same as `vocabulary.handles.normalise` (a test holds them together)."""

from __future__ import annotations

from desireline.intake.text_sql import WHITE_SQL, text_sql
from desireline.vocabulary.handles import (
    FEWEST_PHONE_DIGITS,
    KEEPS_TRUNK_ZERO,
    MOST_PHONE_DIGITS,
    NO_VALUES,
)

_NOBODY = ", ".join(text_sql(word) for word in NO_VALUES)


def handle_sql(kind: str, cell: str, *, country_code: str = "", network: str | None = None) -> str:
    """'kind:value' of a trimmed cell; NULL when the cell names nobody."""
    if network:
        cell = f"({text_sql(network + '/')} || {cell})"
    if kind == "email":
        return f"({text_sql('email:')} || {_email(cell)})"
    spelled = {"phone": _phone(cell, country_code), "card": _card(cell), "social": _social(cell)}.get(kind, cell)
    return f"({text_sql(kind + ':')} || CASE WHEN lower({cell}) NOT IN ({_NOBODY}) THEN {spelled} END)"


def named_somebody_sql(cell: str) -> str:
    """Whether a cell was meant to name somebody."""
    return f"(lower({cell}) NOT IN ({_NOBODY}))"


def _email(cell: str) -> str:
    inner = f"CASE WHEN contains({cell}, '<') THEN regexp_extract({cell}, '(?s).*<([^>]*)', 1) ELSE {cell} END"
    address = f"regexp_replace(lower(trim({inner}, {WHITE_SQL})), '^mailto:', '')"
    plain = f"regexp_full_match({cell}, '[a-z0-9._%+-]+@[a-z0-9.-]+')"
    return rf"CASE WHEN {plain} THEN {cell} WHEN regexp_full_match({address}, '[^@\s<>]+@[^@\s<>]+') THEN {address} END"


def _phone(cell: str, country_code: str) -> str:
    said = f"replace(regexp_replace(regexp_replace(lower({cell}), '^tel:', ''), '(?s)(ext|x|#|;).*$', ''), '(0)', '')"
    digits = f"regexp_replace({said}, '[^0-9]', '', 'g')"
    number = f"CASE WHEN contains({said}, '+') THEN '+' || {digits} WHEN {digits} LIKE '00%' THEN '+' || {digits}[3:]"
    if country_code:
        national = digits if country_code in KEEPS_TRUNK_ZERO else f"{digits}[2:]"
        code = text_sql("+" + country_code)
        number += f""" WHEN {digits} LIKE '0%' THEN {code} || {national}
            WHEN {digits} LIKE {text_sql(country_code + "%")} AND length({digits}) >= {len(country_code) + 9}
            THEN '+' || {digits} ELSE {code} || {digits} END"""
    else:
        number += f" ELSE {digits} END"
    fits = f"length(ltrim({number}, '+')) BETWEEN {FEWEST_PHONE_DIGITS} AND {MOST_PHONE_DIGITS}"
    return f"CASE WHEN ltrim({digits}, '0') <> '' AND {fits} THEN {number} END"


def _card(cell: str) -> str:
    number = f"upper(replace(replace({cell}, ' ', ''), '-', ''))"
    fits = f"NOT contains({number}, '*') AND length({number}) >= 8"
    return f"CASE WHEN {fits} THEN right({number}, 4) || '-' || sha256({number})[:16] END"


def _social(cell: str) -> str:
    name = rf"regexp_replace(lower({cell}), '(^|/)@([^/]*)$', '\1\2')"
    return f"CASE WHEN regexp_matches({name}, '[^/]$') THEN {name} END"
