-- Some interactions with their words and where the original lies, the latest first.
SELECT id, occurred_at, coalesce(channel, '') AS channel, coalesce(touchpoint, '') AS touchpoint,
       coalesce(direction, '') AS direction, coalesce(about_case, '') AS about_case, coalesce(left(text, 400), '') AS words,
       coalesce(source, '') AS source, coalesce(raw, '') AS raw
FROM interactions
WHERE id IN (SELECT unnest($ids))
ORDER BY occurred_at DESC, source DESC, position DESC, id DESC
