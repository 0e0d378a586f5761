-- Every instance in force as numbers, for keep-rates: who, which promise, when, and how it ended.
SELECT map, promise, map_version, person, coalesce((md5_number(key) >> 65)::BIGINT, 0) AS key_hash, channel,
       opening_id, opened_at, coalesce(due_at, $none) AS due_at, coalesce(settled_at, $none) AS settled_at, verdict,
       breach, judged_at
FROM ledger
WHERE ($promise IS NULL OR promise = $promise) AND ($map IS NULL OR map = $map)
