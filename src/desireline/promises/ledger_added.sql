-- The rows to be added to the ledger, the key of each as text.
SELECT c.* EXCLUDE (key, key_hash, same), $as_of AS judged_at,
       CASE WHEN c.key IS NOT NULL OR c.key_hash = 0 THEN c.key
            WHEN g.key IS NOT NULL THEN g.key
            ELSE CASE c.same WHEN 'case' THEN k.about_case WHEN 'order' THEN k.about_order
                             WHEN 'product' THEN k.about_product WHEN 'campaign' THEN k.about_campaign
                             WHEN 'content' THEN k.about_content WHEN 'device' THEN k.about_device
                             ELSE k.about_session END END AS key
FROM ledger_changed AS c
LEFT JOIN known_keys AS g USING (key_hash)
LEFT JOIN ledger_keys AS k ON k.id = c.opening_id
ORDER BY c.map, c.promise, c.opened_at, c.opening_id
