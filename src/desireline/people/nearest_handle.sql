-- The handle spelled most like a text.
SELECT value
FROM handles
WHERE jaro_winkler_similarity(lower(value), getvariable('text')) > 0.8
ORDER BY jaro_winkler_similarity(lower(value), getvariable('text')) DESC, value
LIMIT 1
