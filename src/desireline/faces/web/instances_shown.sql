-- The channel and key of some openings of one promise, to show them in a list.
SELECT opening_id, coalesce(channel, '') AS channel, coalesce(key, '') AS key, settling_id, breaking_id
FROM ledger_in_force
WHERE map = $map AND promise = $promise AND opening_id IN (SELECT unnest($openings))
