"""The columns of a sheet of vacancies, and what else enterprises call them."""

from typing import Final

from shared.sheets.header import Columns

_WORDS: Final = {
    "serial": ("序号", "编号"),
    "title": ("岗位名称", "岗位", "职位", "职位名称", "招聘岗位"),
    "occupation": ("工种", "职业", "职业工种"),
    "openings": ("招聘人数", "人数", "需求人数", "招工人数", "用工人数"),
    "starts_on": ("到岗日期", "到岗时间", "上岗日期", "上岗时间", "开工日期", "入职日期"),
    "pay": ("月薪", "工资", "薪资", "薪资待遇", "工资待遇", "月工资"),
    "pay_min": ("最低月薪", "月薪下限", "最低工资"),
    "pay_max": ("最高月薪", "月薪上限", "最高工资"),
    "site_name": ("工作地点", "用工地点", "厂区", "工作单位", "用工单位"),
    "division": ("区县", "区", "所在区", "行政区"),
    "town": ("街镇", "所在街镇", "镇", "街道", "乡镇"),
    "gender": ("性别要求", "性别"),
    "age": ("年龄要求", "年龄"),
    "education": ("学历要求", "学历", "文化程度"),
    "certificates": ("证书要求", "证书", "技能证书", "资格证书"),
    "programme": ("住宿项目", "过渡性住宿"),
    "nights": ("住宿天数", "住宿晚数"),
    "labour_brand": ("劳务品牌", "品牌"),
}
#: The pay stands in one column or in two.
COLUMNS: Final = Columns(
    words=_WORDS,
    main=frozenset({"title", "openings"}),
    required=("title", "openings", "starts_on", "site_name", "division", "town", "pay"),
    parts={"pay": ("pay_min", "pay_max")},
)
