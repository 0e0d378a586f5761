-- What came in live from each source: how many interactions since a moment, and when the last one came.
SELECT source, count(*) FILTER (WHERE received_at >= $since) AS today, max(received_at) AS last_at
FROM interactions
WHERE import_id = 'live'
GROUP BY source
