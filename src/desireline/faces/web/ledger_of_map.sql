-- Every promise instance of one map that is in force, as numbers: which promise, who, when, how it ended.
SELECT list_position($promises, promise) - 1 AS promise,
       person,
       coalesce((md5_number(key) >> 65)::BIGINT, 0) AS key_hash,
       opening_id,
       opened_at,
       coalesce(due_at, $none) AS due_at,
       coalesce(settled_at, $none) AS settled_at,
       list_position($verdicts, verdict) - 1 AS verdict,
       coalesce(list_position($breaches, breach) - 1, -1) AS breach,
       coalesce(lateness_seconds, 0) AS lateness_seconds,
       coalesce(made_good_at, $none) AS made_good_at
FROM ledger_in_force
WHERE map = $map AND list_contains($promises, promise)
