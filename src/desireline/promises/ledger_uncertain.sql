-- Openings of these people that the ledger does not know as theirs, and, without a moment, those it knows and that are theirs no more.
WITH judged AS (
    SELECT $maps[promise + 1] AS map, $promises[promise + 1] AS promise, opening_id, opened_at FROM judged_rows
)
SELECT opening_id, opened_at FROM judged ANTI JOIN ledger_past USING (map, promise, opening_id)
UNION ALL
SELECT opening_id, NULL AS opened_at FROM ledger_past ANTI JOIN judged USING (map, promise, opening_id)
