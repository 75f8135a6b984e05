"""What is said about the cells of a sheet of guests."""

from typing import Final

from shared.sheets.issue import Sentences

SENTENCES: Final = Sentences(
    {
        "worker_id_invalid": "请填写人员编号（花名册导入后可查），不要填写姓名或证件号。"
        "Write the worker's id as the registry lists it, never a name or a number of a document.",
        "value_unknown": "请填写 是 或 否。Write 是 or 否.",
        "duplicate": "同一人在表中出现两次。The person occurs twice in the sheet.",
        "day_gone": "入住日已过。The day has gone by.",
        "inn_unknown": "没有此客栈，请填写客栈名称或编号。There is no such inn.",
        "group_differs": "同组（或同一家庭）各行的日期、天数、项目、客栈应一致。"
        "The rows of a group or family must have the same dates, nights, programme and inn.",
        "group_incomplete": "同组有一行未通过，整组未提交。"
        "A row of the group is wrong: none went in.",
        "personal_data": "住宿申请不需要个人信息，此列未被读取，也未保存。"
        "No personal data is needed here; the column was neither read nor kept.",
    }
)
