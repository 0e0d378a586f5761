-- For each person of the lake the customer whose interactions it mainly holds; a customer in parts is where most of them lie.
WITH counted AS (
    SELECT true_rows.person AS customer, handles.person AS person, count(*) AS interactions
    FROM pairs
    JOIN true_rows ON true_rows.id = pairs.true_id
    JOIN interactions ON interactions.id = pairs.lake_id
    JOIN handles ON handles.handle = interactions.handle
    GROUP BY true_rows.person, handles.person
),
homes AS (
    SELECT customer, person, interactions
    FROM counted
    QUALIFY row_number() OVER (PARTITION BY customer ORDER BY interactions DESC, person) = 1
)
SELECT person, customer
FROM homes
QUALIFY row_number() OVER (PARTITION BY person ORDER BY interactions DESC, customer) = 1
