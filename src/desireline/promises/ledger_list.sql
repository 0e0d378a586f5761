-- Promise instances of the ledger in force, the latest breach first, as many as asked for.
SELECT map, promise, verdict, breach, person, key, channel, opened_at, due_at, settled_at, lateness_seconds,
       made_good_at, breaches, opening_id, settling_id, breaking_id, made_good_id, journey, map_version, judged_at,
       cause, number
FROM ledger
WHERE ($map IS NULL OR map = $map)
  AND ($promise IS NULL OR promise = $promise)
  AND ($verdict IS NULL OR verdict = $verdict)
  AND ($breach IS NULL OR breach = $breach)
  AND ($person IS NULL OR person = $person)
  AND ($cause IS NULL OR cause = $cause)
  AND ($key IS NULL OR key = $key)
ORDER BY verdict <> 'broken', coalesce(due_at, opened_at) DESC, promise, opening_id
LIMIT $top
