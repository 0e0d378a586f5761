-- The openings of one map whose interaction has a certain value in the column that people are divided by.
SELECT DISTINCT ledger_in_force.opening_id
FROM ledger_in_force
JOIN interactions ON interactions.id = ledger_in_force.opening_id
WHERE ledger_in_force.map = $map AND CAST(interactions.{column} AS VARCHAR) = $value
