-- Handles that a text may mean: the whole of one, its beginning, or a part of it; the best of them.
SELECT handle, kind, value, person, coalesce(reason, '') AS reason,
    CASE
        WHEN person = getvariable('number') OR handle = getvariable('number') THEN 0
        WHEN lower(value) = getvariable('text') OR lower(kind || ':' || value) = getvariable('text') THEN 1
        WHEN starts_with(lower(value), getvariable('text')) THEN 2
        ELSE 3
    END AS nearness
FROM handles
WHERE person = getvariable('number')
    OR handle = getvariable('number')
    OR contains(lower(value), getvariable('text'))
    OR lower(kind || ':' || value) = getvariable('text')
    OR (kind = 'phone' AND getvariable('digits') <> '' AND contains(value, getvariable('digits')))
ORDER BY nearness, shared, strong DESC, value, handle
LIMIT getvariable('most')
