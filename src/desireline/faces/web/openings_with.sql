-- The openings of one map whose interaction has a certain value in the column that people are divided by.
SELECT DISTINCT ledger.opening_id
FROM ledger
JOIN interactions ON interactions.id = ledger.opening_id
WHERE ledger.map = $map AND CAST(interactions.{column} AS VARCHAR) = $value
