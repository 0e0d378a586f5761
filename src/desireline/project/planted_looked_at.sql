-- The people for whom a verdict differs: whoever opened the promise in truth, and whoever it lies under in the lake.
SELECT DISTINCT unnest([changed.customer, changed.label]) AS label
FROM changed
WHERE changed.id IN (SELECT unnest(getvariable('openings')))
