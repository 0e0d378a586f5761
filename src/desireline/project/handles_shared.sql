-- Handles that many strangers share: what lies under them is nobody's.
SELECT handle FROM handles WHERE shared
