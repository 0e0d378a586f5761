-- The persons that some imports speak of.
SELECT DISTINCT handles.person
FROM interactions JOIN handles USING (handle)
WHERE interactions.import_id IN (SELECT unnest($parts))
