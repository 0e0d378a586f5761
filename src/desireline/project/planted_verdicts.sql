-- Every instance of every promise: the verdict planted in the world beside the one in the ledger.
WITH planted AS (
    SELECT map, promise, opening_id AS id, source, source_key, verdict, coalesce(breach, '') AS breach, made_good > 0 AS made_good
    FROM true_promises
),
judged AS (
    SELECT
        ledger.map AS map, ledger.promise AS promise, changed.id AS id, ledger.verdict AS verdict,
        coalesce(ledger.breach, '') AS breach, ledger.made_good_at IS NOT NULL AS made_good
    FROM ledger
    JOIN changed ON changed.lake_id = ledger.opening_id
)
SELECT
    coalesce(planted.map, judged.map) AS map,
    coalesce(planted.promise, judged.promise) AS promise,
    coalesce(planted.id, judged.id) AS id,
    coalesce(planted.source, interactions.source) AS source,
    coalesce(planted.source_key, interactions.source_key) AS source_key,
    coalesce(planted.verdict, '') AS planted_verdict, coalesce(planted.breach, '') AS planted_breach,
    coalesce(planted.made_good, false) AS planted_made_good,
    coalesce(judged.verdict, '') AS found_verdict, coalesce(judged.breach, '') AS found_breach,
    coalesce(judged.made_good, false) AS found_made_good
FROM planted
FULL JOIN judged ON judged.map = planted.map AND judged.promise = planted.promise AND judged.id = planted.id
LEFT JOIN changed ON planted.id IS NULL AND changed.id = judged.id
LEFT JOIN interactions ON interactions.id = changed.lake_id
