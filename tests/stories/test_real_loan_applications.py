"""13,087 loan applications of a Dutch bank: the facts known of them, and two promises judged twice."""

from __future__ import annotations

import pytest

from desireline.project import Opened
from stories.real_data import DATA, asked, needs, taken_in, verdicts

FILE = "bpi2012.parquet"
DAY_MS = 86_400_000
pytestmark = [*needs(FILE), pytest.mark.long]

PLAIN_VERDICTS = """
WITH opening AS (SELECT case_id, ts FROM rows WHERE activity = '{when}'),
answered AS (
  SELECT opening.ts, min(answer.ts) AS answered_at
  FROM opening LEFT JOIN rows AS answer
    ON answer.case_id = opening.case_id AND answer.ts >= opening.ts AND {then}
  GROUP BY opening.case_id, opening.ts
)
SELECT CASE
    WHEN answered_at <= ts + INTERVAL {days} DAY THEN 'kept'
    WHEN answered_at <= ts + INTERVAL {days} DAY + INTERVAL 60 DAY THEN 'late'
    WHEN (SELECT max(ts) FROM rows) > ts + INTERVAL {days} DAY THEN 'missing'
    ELSE 'waiting' END AS how, count(*)
FROM answered GROUP BY how
"""


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    return taken_in("loan-applications", FILE, tmp_path_factory.mktemp("loans"))


def test_every_application_is_one_person_and_one_journey(bank: Opened) -> None:
    facts = bank.sql("SELECT count(*) AS rows, count(DISTINCT about_case) AS cases FROM interactions")
    assert (facts["rows"][0], facts["cases"][0]) == (262_200, 13_087)
    assert bank.project.snapshot().people == 13_087
    assert bank.variants(gap="never").journeys == 13_087


def test_as_many_variants_as_others_count(bank: Opened) -> None:
    plain = asked(
        FILE,
        "SELECT count(DISTINCT steps) FROM "
        "(SELECT string_agg(activity, '|' ORDER BY place) AS steps FROM rows GROUP BY case_id)",
    )
    assert plain == [(4_366,)]
    assert bank.variants(gap="never").different == 4_366


def test_outcomes_and_the_sum_approved(bank: Opened) -> None:
    found = bank.sql(
        "SELECT outcome, count(*) AS applications, sum(value_minor) AS minor FROM interactions "
        "WHERE outcome IS NOT NULL GROUP BY outcome"
    )
    counted = dict(zip(found["outcome"], found["applications"], strict=True))
    assert counted == {"approved": 2_246, "declined": 7_635, "cancelled": 2_807}
    ((euros,),) = asked(FILE, "SELECT sum(amount_req) FROM rows WHERE activity = 'A_APPROVED'")
    assert dict(zip(found["outcome"], found["minor"], strict=True))["approved"] == euros * 100


def test_an_application_lasts_8_62_days_on_average(bank: Opened) -> None:
    journeys = bank.journeys(gap="never")
    lasted = [ended - started for started, ended in zip(journeys["started_at"], journeys["ended_at"], strict=True)]
    assert sum(lasted) / len(lasted) / DAY_MS == pytest.approx(8.62, abs=0.005)


def test_an_offer_is_followed_by_a_call_within_three_days(bank: Opened) -> None:
    then = "answer.activity = 'W_Nabellen offertes' AND answer.lifecycle = 'START'"
    plain = dict(asked(FILE, PLAIN_VERDICTS.format(when="O_SENT", then=then, days=3)))
    assert verdicts(bank, "called-about-the-offer") == plain
    assert plain == {"kept": 3_991, "late": 2_628, "missing": 393, "waiting": 18}


def test_an_application_is_decided_within_14_days(bank: Opened) -> None:
    then = "answer.activity IN ('A_APPROVED', 'A_DECLINED', 'A_CANCELLED')"
    plain = dict(asked(FILE, PLAIN_VERDICTS.format(when="A_SUBMITTED", then=then, days=14)))
    assert verdicts(bank, "decided") == plain
    assert plain == {"kept": 9_610, "late": 3_066, "missing": 388, "waiting": 23}


def test_the_same_file_again_adds_nothing(bank: Opened) -> None:
    before = bank.project.store.digest()
    (report,) = bank.take(DATA / FILE)
    assert (report.made, report.already_known) == (0, 262_200)
    assert bank.project.store.digest() == before
