-- Promises still open that fall due between two moments.
SELECT map, promise, person, key, opening_id, due_at, settled_at, verdict, breach, breaches, judged_at
FROM (
    SELECT * FROM {everything}
    QUALIFY row_number() OVER (PARTITION BY map, promise, opening_id ORDER BY number DESC) = 1
)
WHERE verdict = 'waiting' AND coalesce(cause, '') <> 'gone' AND due_at > $after AND due_at <= $until
ORDER BY due_at, map, promise, opening_id
