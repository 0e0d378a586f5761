-- The keys of the interactions that opened changed instances.
SELECT i.id, i.about_case, i.about_order, i.about_product, i.about_campaign, i.about_content, i.about_device,
       i.about_session
FROM interactions AS i
WHERE i.occurred_at BETWEEN $earliest AND $latest
  AND i.id IN (
      SELECT opening_id FROM ledger_changed
      WHERE key_hash <> 0 AND key IS NULL AND key_hash NOT IN (SELECT key_hash FROM known_keys)
  )
