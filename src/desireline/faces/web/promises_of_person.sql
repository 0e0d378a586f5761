-- Every promise ever opened for one person, as it stands, the latest first.
SELECT map, promise, verdict, coalesce(breach, '') AS breach, opened_at, due_at, settled_at, lateness_seconds, made_good_at
FROM ledger_in_force
WHERE person = $person
ORDER BY opened_at DESC
LIMIT 2000
