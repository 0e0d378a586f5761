-- All the handles of some persons.
SELECT handle, kind, value, person, coalesce(reason, '') AS reason
FROM handles
WHERE person IN (SELECT unnest(getvariable('persons')))
