-- The handles of some people, the strong ones first.
SELECT person, kind, value, coalesce(shared, FALSE) AS shared, coalesce(reason, '') AS reason
FROM handles_by_person
WHERE person IN (SELECT unnest($people))
ORDER BY person, strong DESC, kind, value
LIMIT 5000
