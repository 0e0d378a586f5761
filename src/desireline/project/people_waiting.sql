-- Everybody for whom time alone may change a judgement: who waits, and whose due was still to come when judged.
SELECT DISTINCT person FROM ledger WHERE verdict = 'waiting' OR due_at > judged_at
