-- Openings of changed instances whose key is not known as text yet.
SELECT DISTINCT opening_id, same, opened_at
FROM ledger_changed
WHERE key_hash <> 0 AND key IS NULL AND key_hash NOT IN $known AND opening_id NOT IN (SELECT id FROM ledger_keys)
