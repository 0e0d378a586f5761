-- Promises still open that fall due between two moments.
WITH candidates AS (
    SELECT map, promise, person, key, opening_id, due_at, settled_at, verdict, breach, breaches, judged_at, number
    FROM {everything}
    WHERE verdict = 'waiting' AND coalesce(cause, '') <> 'gone' AND due_at > $after AND due_at <= $until
), latest AS (
    SELECT map, promise, opening_id, max(number) AS number
    FROM {everything}
    WHERE opening_id IN (SELECT opening_id FROM candidates)
    GROUP BY map, promise, opening_id
)
SELECT c.map, c.promise, c.person, c.key, c.opening_id, c.due_at, c.settled_at, c.verdict, c.breach, c.breaches,
       c.judged_at
FROM candidates AS c
JOIN latest AS l ON l.map = c.map AND l.promise = c.promise AND l.opening_id = c.opening_id AND l.number = c.number
ORDER BY c.due_at, c.map, c.promise, c.opening_id
