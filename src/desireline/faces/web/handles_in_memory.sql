-- Who every handle belongs to, in order of person.
CREATE TABLE handles_by_person AS
SELECT handle, kind, value, strong, shared, reason, person
FROM handles
ORDER BY person
