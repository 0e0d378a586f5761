-- The handles of some people, the strong ones first.
SELECT person, kind, value, coalesce(shared, FALSE) AS shared, coalesce(reason, '') AS reason
FROM handles
WHERE list_contains($people, person)
ORDER BY person, strong DESC, kind, value
LIMIT 5000
