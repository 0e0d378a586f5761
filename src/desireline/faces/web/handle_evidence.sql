-- For each handle of a person, how often it was seen together with another handle of the same person, and which.
SELECT a.kind AS kind, a.value AS value, arg_max(b.kind || ' ' || b.value, links.seen) AS seen_with, CAST(sum(links.seen) AS BIGINT) AS times
FROM links
JOIN handles AS a ON a.handle IN (links.handle_a, links.handle_b) AND a.person = $person
JOIN handles AS b ON b.handle IN (links.handle_a, links.handle_b) AND b.person = $person AND b.handle <> a.handle
GROUP BY a.kind, a.value
