"""What is said about the cells of a sheet of guests."""

from typing import Final

from shared.sheets.issue import Sentences

_SENTENCES: Final = {
    "required": "必填。This is required.",
    "formula_not_allowed": "请填写内容，不要使用公式。Write the value, not a formula.",
    "text_too_long": "文字过长。The text is too long.",
    "worker_id_invalid": "请填写人员编号（花名册导入后可查），不要填写姓名或证件号。"
    "Write the worker's id as the registry lists it, never a name or a number of a document.",
    "number_invalid": "请填写整数。Write a whole number.",
    "date_invalid": "日期无法识别，请按 2027-03-01 填写。Write a date like 2027-03-01.",
    "value_unknown": "请填写 是 或 否。Write 是 or 否.",
    "row_too_long": "本行的单元格多于表头。The row has more cells than the header.",
    "duplicate": "同一人在表中出现两次。The person occurs twice in the sheet.",
    "day_gone": "入住日已过。The day has gone by.",
    "inn_unknown": "没有此客栈，请填写客栈名称或编号。There is no such inn.",
    "group_differs": "同组（或同一家庭）各行的日期、天数、项目、客栈应一致。"
    "The rows of a group or family must have the same dates, nights, programme and inn.",
    "group_incomplete": "同组有一行未通过，整组未提交。A row of the group is wrong: none went in.",
    "header_unknown": "此列未被读取。This column was not read.",
    "personal_data": "住宿申请不需要个人信息，此列未被读取，也未保存。"
    "No personal data is needed here; the column was neither read nor kept.",
    "sheet_not_read": "此工作表未被读取。This sheet was not read.",
}
issue = Sentences(_SENTENCES).issue
