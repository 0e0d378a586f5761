-- The interactions that one message of the log became.
SELECT occurred_at, coalesce(touchpoint, '') AS touchpoint, coalesce(channel, '') AS channel,
       coalesce(direction, '') AS direction, handle
FROM {parts}
WHERE raw = $raw
ORDER BY position
