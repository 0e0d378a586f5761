-- The instances asked for, each with one field of the interaction that opened it as its segment.
SELECT f.*, i.{column}::VARCHAR AS segment
FROM ({instances}) AS f
LEFT JOIN interactions AS i ON i.id = f.opening_id
