-- Everybody who waits for a promise to be kept.
SELECT DISTINCT person FROM ledger WHERE verdict = 'waiting'
