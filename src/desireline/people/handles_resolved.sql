-- Every handle with its value and whom it belongs to.
SELECT
    texts.handle AS handle, texts.kind AS kind, texts.value AS value,
    coalesce(kinds.strong, false) AS strong, resolved.why <> 0 AS shared,
    coalesce(judged.reason, by_reason.reason) AS reason, resolved.person AS person
FROM texts
JOIN resolved ON resolved.handle = texts.handle
LEFT JOIN kinds ON kinds.kind = texts.kind
LEFT JOIN judged ON judged.handle = texts.handle
LEFT JOIN reasons AS by_reason ON by_reason.why = resolved.why
ORDER BY texts.handle
