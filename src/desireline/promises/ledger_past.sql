-- All that the ledger ever said of instances of these people.
SELECT * FROM ledger_rows WHERE person IN $people
