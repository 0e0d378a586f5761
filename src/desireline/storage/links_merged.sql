-- The links of several parts as one: each pair once, seen as often as in all of them together.
SELECT
    handle_a, handle_b, sum(seen)::BIGINT AS seen, min(first_id) AS first_id, evidence,
    min(since) AS since, withdrawn
FROM arrived
GROUP BY handle_a, handle_b, evidence, withdrawn
ORDER BY handle_a, handle_b, evidence, withdrawn
