-- The interactions of some people, changed by $causes only: as the lake has them where one of these causes changed them, else as they truly were.
SELECT true_interactions.* REPLACE (changed.customer AS handle)
FROM changed
JOIN true_interactions ON true_interactions.id = changed.true_id
WHERE changed.true_id IS NOT NULL
    AND changed.cause NOT IN (SELECT unnest(getvariable('causes')))
    AND (changed.customer IN (SELECT label FROM looked_at) OR changed.label IN (SELECT label FROM looked_at))
UNION ALL BY NAME
SELECT interactions.* REPLACE (changed.id AS id, abs(changed.label) AS handle)
FROM changed
JOIN interactions ON interactions.id = changed.lake_id
WHERE changed.cause IN (SELECT unnest(getvariable('causes')))
    AND changed.handle IS NOT NULL
    AND (changed.customer IN (SELECT label FROM looked_at) OR changed.label IN (SELECT label FROM looked_at))
