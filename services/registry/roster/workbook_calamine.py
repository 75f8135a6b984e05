"""Opens a workbook with calamine, answering what it cannot read with a refusal."""

import io

from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from services.registry.roster.issue import FileRefused


def open_workbook(data: bytes) -> CalamineWorkbook:
    """Open an .xlsx or .xls. Raises `FileRefused`: encrypted_file, bad_archive."""
    try:
        return CalamineWorkbook.from_filelike(io.BytesIO(data))
    except PasswordError as locked:
        raise FileRefused("encrypted_file", "文件设有密码，请取消密码后提交。") from locked
    except (CalamineError, OSError, ValueError) as broken:
        raise FileRefused("bad_archive", "文件已损坏或不完整，请重新另存后提交。") from broken
