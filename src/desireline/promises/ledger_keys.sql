-- The keys of the interactions that opened changed instances.
SELECT c.same, i.id,
       CASE c.same WHEN 'case' THEN i.about_case WHEN 'order' THEN i.about_order WHEN 'product' THEN i.about_product
                   WHEN 'campaign' THEN i.about_campaign WHEN 'content' THEN i.about_content
                   WHEN 'device' THEN i.about_device ELSE i.about_session END AS key
FROM interactions AS i
JOIN ledger_keyless AS c ON c.opening_id = i.id
WHERE i.occurred_at BETWEEN $earliest AND $latest
