-- What the ledger said of these openings when they were other people's.
SELECT * FROM ledger_rows
WHERE opening_id IN $openings AND opened_at BETWEEN $earliest AND $latest AND NOT list_contains($people, person)
