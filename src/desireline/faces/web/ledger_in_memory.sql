-- The judgements in force, in order of map and promise, so that every page finds its rows at once.
CREATE TABLE ledger_in_force AS
SELECT map, promise, person, key, channel, opening_id, opened_at, due_at, settled_at, verdict, breach, lateness_seconds,
       settling_id, breaking_id, made_good_at
FROM ledger
ORDER BY map, promise, opened_at, opening_id
