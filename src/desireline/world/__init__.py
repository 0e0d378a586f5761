"""The world: seeded synthetic customers of a made-up bank, with known truth. A hotel, a restaurant and a wellness
app are worlds of a later issue."""

from desireline.world.bank_files import BankFiles, bank_files
from desireline.world.run import WorldFile, WorldReport, make_world

BANK = bank_files()
"""The bank's project file, maps and recipes (package data)."""

__all__ = ["BANK", "BankFiles", "WorldFile", "WorldReport", "bank_files", "make_world"]
