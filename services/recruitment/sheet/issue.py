"""What is said about the cells of a sheet of vacancies."""

from typing import Final

from shared.sheets.issue import Sentences

_SENTENCES: Final = {
    "required": "必填。This is required.",
    "formula_not_allowed": "请填写内容，不要使用公式。Write the value, not a formula.",
    "text_too_long": "文字过长。The text is too long.",
    "number_invalid": "请填写整数。Write a whole number.",
    "pay_invalid": "请填写月薪（元），如 5000-7000。Write yuan a month, like 5000-7000.",
    "date_invalid": "日期无法识别，请按 2027-03-01 填写。Write a date like 2027-03-01.",
    "date_year_assumed": "未写年份，按最近的将来理解。The year was assumed.",
    "occupation_unknown": "工种不在职业分类中。No such occupation in the classification.",
    "division_unknown": "区县无法识别。No such district.",
    "town_unknown": "街镇不在名录中，按原文保留。The town is in no table; kept as written.",
    "gender_unclear": "请填写 男、女 或 不限。Write 男, 女 or 不限.",
    "age_invalid": "请按 18-45 填写，或 不限。Write ages like 18-45.",
    "value_unknown": "无法识别，不能作为要求。It is in no table and can't be required.",
    "row_too_long": "本行的单元格多于表头。The row has more cells than the header.",
    "header_unknown": "此列未被读取。This column was not read.",
    "sheet_not_read": "此工作表未被读取。This sheet was not read.",
}
issue = Sentences(_SENTENCES).issue
