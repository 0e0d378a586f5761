-- Whose some handles are.
SELECT handle, person FROM handles_by_person WHERE handle IN (SELECT unnest($handles))
