-- The persons that some parts of the lake speak of.
SELECT DISTINCT handles.person
FROM arrived JOIN handles USING (handle)
