-- The promise ledger as it stands: of each promise instance only the judgement in force, the one with the highest number.
-- An instance whose opening was taken back is there no more.
SELECT *
FROM ledger_rows
QUALIFY row_number() OVER (PARTITION BY map, promise, opening_id ORDER BY number DESC) = 1 AND coalesce(cause, '') <> 'gone'
