-- The promises that fall due next, and those broken in the last hour.
(
    SELECT map, promise, person, key, channel, opening_id, opened_at, due_at, verdict, breach, breaches, number
    FROM ledger
    WHERE verdict = 'waiting' AND due_at >= $now
    ORDER BY due_at
    LIMIT $most_waiting
)
UNION ALL
(
    SELECT map, promise, person, key, channel, opening_id, opened_at, due_at, verdict, breach, breaches, number
    FROM ledger
    WHERE verdict = 'broken' AND TRY_CAST(split_part(split_part(breaches, ', ', 1), ' ', 2) AS BIGINT) > $now - 3600000
    ORDER BY judged_at DESC
    LIMIT $most_broken
)
