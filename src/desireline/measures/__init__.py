"""Every number, one file each."""

from desireline.measures.census import PersonMonths, census, census_by_person

__all__ = ["PersonMonths", "census", "census_by_person"]
