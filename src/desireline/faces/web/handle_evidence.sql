-- For each handle of a person, the handle of the same person it was seen with most often, and how often.
WITH mine AS (SELECT handle, kind, value FROM handles_by_person WHERE person = $person),
together AS (
    SELECT handle_a AS handle, handle_b AS other, seen FROM links WHERE handle_a IN (SELECT handle FROM mine)
    UNION ALL
    SELECT handle_b AS handle, handle_a AS other, seen FROM links WHERE handle_b IN (SELECT handle FROM mine)
)
SELECT a.kind AS kind, a.value AS value, arg_max(b.kind || ' ' || b.value, seen) AS seen_with, max(seen) AS times
FROM together
JOIN mine AS a ON a.handle = together.handle
JOIN mine AS b ON b.handle = together.other
GROUP BY a.kind, a.value
