-- How many changed instances have a key whose text is not known yet, and when the first and the last of them opened.
SELECT count(*) AS instances, min(opened_at) AS earliest, max(opened_at) AS latest
FROM ledger_changed
WHERE key_hash <> 0 AND key IS NULL AND key_hash NOT IN $known
