-- Customers of the demo's bank with one handle of each kind.
SELECT min(value) FILTER (kind = 'crm'), min(value) FILTER (kind = 'email'), min(value) FILTER (kind = 'phone'),
       min(value) FILTER (kind = 'cookie'), min(value) FILTER (kind = 'device')
FROM handles
WHERE NOT shared
GROUP BY person
HAVING count(*) FILTER (kind = 'crm') = 1
ORDER BY 1
LIMIT $most
