-- Everybody with a broken promise, of one map or of all.
SELECT DISTINCT person FROM ledger
WHERE verdict = 'broken' AND ($map IS NULL OR map = $map)
ORDER BY person
