-- How the counts of links change: up by the new imports, down by the undone ones.
SELECT handle_a, handle_b, sum(seen)::BIGINT AS seen
FROM (
    SELECT handle_a, handle_b, seen FROM new_links
    UNION ALL
    SELECT handle_a, handle_b, -seen AS seen FROM gone_links
)
GROUP BY handle_a, handle_b
HAVING sum(seen) <> 0
