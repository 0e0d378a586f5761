-- Openings of these people that the ledger does not know as theirs, and, without a moment, those it knows and that are theirs no more.
SELECT r.opening_id, r.opened_at
FROM judged_rows AS r
JOIN judged_promises AS n ON n.number = r.promise
ANTI JOIN ledger_past AS p ON p.map = n.map AND p.promise = n.promise AND p.opening_id = r.opening_id
UNION ALL
SELECT p.opening_id, NULL AS opened_at
FROM ledger_past AS p
ANTI JOIN (
    SELECT n.map, n.promise, r.opening_id FROM judged_rows AS r JOIN judged_promises AS n ON n.number = r.promise
) AS j ON p.map = j.map AND p.promise = j.promise AND p.opening_id = j.opening_id
