-- Every true interaction beside the row of the lake it became (by its key, else by the line of its file), and the rows of the lake beyond those.
WITH keyed AS (
    SELECT true_rows.id AS true_id, interactions.id AS lake_id
    FROM true_rows
    JOIN interactions ON interactions.id = true_rows.id
),
keyless AS (
    SELECT true_rows.id AS true_id, interactions.id AS lake_id
    FROM true_rows
    JOIN true_interactions ON true_interactions.id = true_rows.id
    JOIN interactions
        ON interactions.source = true_rows.source
        AND interactions.raw = true_rows.file || ':' || true_rows.line
        AND interactions.touchpoint = true_interactions.touchpoint
    WHERE true_rows.id NOT IN (SELECT true_id FROM keyed)
        AND interactions.id NOT IN (SELECT lake_id FROM keyed)
),
known AS (
    SELECT true_id, lake_id FROM keyed
    UNION ALL
    SELECT true_id, lake_id FROM keyless
)
SELECT true_rows.id AS true_id, known.lake_id AS lake_id
FROM true_rows
LEFT JOIN known ON known.true_id = true_rows.id
UNION ALL
SELECT NULL AS true_id, interactions.id AS lake_id
FROM interactions
WHERE interactions.id NOT IN (SELECT lake_id FROM known)
