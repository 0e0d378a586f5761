-- The rows to be added to the ledger, the key of each as text; each person's together, so that a few people are found soon.
SELECT c.* EXCLUDE (key, key_hash, same), $as_of AS judged_at,
       CASE WHEN c.key IS NOT NULL OR c.key_hash = 0 THEN c.key
            ELSE coalesce(k.key, $keys[list_position($known, c.key_hash)]) END AS key
FROM ledger_changed AS c
LEFT JOIN ledger_keys AS k ON k.id = c.opening_id AND k.same = c.same
ORDER BY c.person, c.map, c.promise, c.opened_at, c.opening_id
