-- The handles of several parts as one: of each handle the row of the latest part.
SELECT * EXCLUDE (filename)
FROM arrived
QUALIFY row_number() OVER (PARTITION BY handle ORDER BY filename DESC) = 1
ORDER BY handle
