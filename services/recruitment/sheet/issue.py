"""What is said about the cells of a sheet of vacancies."""

from typing import Final

from shared.sheets.issue import Sentences

SENTENCES: Final = Sentences(
    {
        "pay_invalid": "请填写月薪（元），如 5000-7000。Write yuan a month, like 5000-7000.",
        "occupation_unknown": "工种不在职业分类中。No such occupation in the classification.",
        "division_unknown": "区县无法识别。No such district.",
        "town_unknown": "街镇不在名录中，按原文保留。The town is in no table; kept as written.",
        "gender_unclear": "请填写 男、女 或 不限。Write 男, 女 or 不限.",
        "age_invalid": "请按 18-45 填写，或 不限。Write ages like 18-45.",
        "value_unknown": "无法识别，不能作为要求。It is in no table and can't be required.",
    }
)
