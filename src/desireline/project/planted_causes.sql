-- What became of each interaction on its way through the files: the person it lies under in the lake, and the cause of any difference.
WITH beside AS (
    SELECT
        pairs.true_id AS true_id,
        pairs.lake_id AS lake_id,
        coalesce(pairs.true_id, pairs.lake_id) AS id,
        true_rows.person AS customer,
        true_rows.file AS file,
        true_rows.line AS line,
        handles.handle AS handle,
        handles.shared AS shared,
        handles.strong AS strong,
        handles.kind || ':' || handles.value AS handle_text,
        CASE WHEN NOT coalesce(handles.shared, false) THEN coalesce(homes.customer, -handles.person) END AS label,
        was, is_now, was_at, is_at
    FROM pairs
    LEFT JOIN true_rows ON true_rows.id = pairs.true_id
    LEFT JOIN (SELECT id, occurred_at AS was_at, hash(
        occurred_at, channel, touchpoint, direction, asks, answers, topic, intent, about_case, about_order, about_campaign,
        hands, power, value_minor, score, reach, consent) AS was FROM true_interactions) AS meant ON meant.id = pairs.true_id
    LEFT JOIN (SELECT id, handle, occurred_at AS is_at, hash(
        occurred_at, channel, touchpoint, direction, asks, answers, topic, intent, about_case, about_order, about_campaign,
        hands, power, value_minor, score, reach, consent) AS is_now FROM interactions) AS taken ON taken.id = pairs.lake_id
    LEFT JOIN handles ON handles.handle = taken.handle
    LEFT JOIN homes ON homes.person = handles.person
),
known AS (
    SELECT DISTINCT is_now, handle
    FROM beside
    WHERE true_id IS NOT NULL AND is_now IN (SELECT is_now FROM beside WHERE true_id IS NULL)
)
SELECT
    beside.id AS id, beside.true_id AS true_id, beside.lake_id AS lake_id,
    beside.customer AS customer, beside.label AS label, beside.handle AS handle,
    CASE
        WHEN beside.true_id IS NULL AND known.is_now IS NOT NULL THEN $twice
        WHEN beside.true_id IS NULL THEN $from_nowhere
        WHEN beside.lake_id IS NULL AND refused.file IS NOT NULL THEN $refused
        WHEN beside.lake_id IS NULL THEN $lost
        WHEN beside.handle IS NULL THEN $withheld
        WHEN beside.label = beside.customer AND beside.was = beside.is_now THEN ''
        WHEN beside.label = beside.customer AND was_at <> is_at THEN $time
        WHEN beside.label = beside.customer THEN $field
        WHEN beside.shared THEN $shared
        WHEN beside.handle_text NOT IN (SELECT handle FROM true_handles) THEN $mistyped
        WHEN (beside.customer, beside.handle_text) NOT IN (SELECT (customer, handle) FROM true_handles) THEN $stranger
        WHEN beside.label > 0 THEN $joined
        WHEN NOT beside.strong THEN $only_weak
        ELSE $parted
    END AS cause
FROM beside
LEFT JOIN known ON beside.true_id IS NULL AND known.is_now = beside.is_now AND known.handle = beside.handle
LEFT JOIN refused ON refused.file = beside.file AND refused.row = beside.line
