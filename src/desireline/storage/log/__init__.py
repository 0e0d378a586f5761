"""The log of record (`data/log`): everything that comes in is an entry here first; all else is made from it.

from desireline.storage.log import Kind, Log, read_log
"""

from desireline.storage.log.checking import check_log
from desireline.storage.log.copying import copy_log, write_mark
from desireline.storage.log.disk import Disk, Space
from desireline.storage.log.frames import LARGEST_FRAME_BYTES, Frame, Kind
from desireline.storage.log.kept_files import KeptFile
from desireline.storage.log.opened_log import Log
from desireline.storage.log.reading import read_log
from desireline.storage.log.said import Damage, LogFull, LogLimits, LogState
from desireline.storage.log.shipping import LogShipper, Shipped
from desireline.storage.log.waiting import Outcome

__all__ = [
    "LARGEST_FRAME_BYTES",
    "Damage",
    "Disk",
    "Frame",
    "KeptFile",
    "Kind",
    "Log",
    "LogFull",
    "LogLimits",
    "LogShipper",
    "LogState",
    "Outcome",
    "Shipped",
    "Space",
    "check_log",
    "copy_log",
    "read_log",
    "write_mark",
]
