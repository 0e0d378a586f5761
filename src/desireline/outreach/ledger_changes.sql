-- What changed in the ledger in some of its parts: each row beside the verdict that stood before it.
WITH changed AS (
    SELECT * FROM {changed} WHERE judged_at >= $since
), before AS (
    SELECT map, promise, opening_id, number, verdict, made_good_at
    FROM {everything}
    WHERE opening_id IN (SELECT opening_id FROM changed WHERE number > 1)
)
SELECT c.map, c.promise, c.person, c.key, c.opening_id, c.due_at, c.settled_at, c.verdict, c.breach, c.breaches,
       c.made_good_at, c.judged_at, c.cause, b.verdict AS verdict_before, b.made_good_at AS made_good_before
FROM changed AS c
LEFT JOIN before AS b
    ON b.map = c.map AND b.promise = c.promise AND b.opening_id = c.opening_id AND b.number = c.number - 1
ORDER BY c.number, c.map, c.promise, c.opening_id
