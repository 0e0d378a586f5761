-- The links in force once the new imports are in and the undone ones out.
SELECT handle_a, handle_b, sum(seen)::BIGINT AS seen
FROM (
    SELECT handle_a, handle_b, seen FROM new_links
    UNION ALL
    SELECT handle_a, handle_b, seen FROM links WHERE withdrawn IS NULL
    UNION ALL
    SELECT handle_a, handle_b, -seen AS seen FROM gone_links
)
GROUP BY handle_a, handle_b
HAVING sum(seen) > 0
