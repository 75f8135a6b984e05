"""The columns of a sheet of stay requests, and what else enterprises call them."""

from typing import Final

from shared.sheets.header import Columns

_WORDS: Final = {
    "serial": ("序号", "编号"),
    "worker_id": ("人员编号", "员工编号", "人员ID", "worker_id"),
    "check_in_on": ("入住日期", "入住时间", "入住日", "到达日期"),
    "nights": ("入住天数", "住宿天数", "住宿晚数", "天数", "晚数"),
    "programme": ("住宿项目", "项目", "过渡性住宿"),
    "group": ("同住组", "同住", "组", "同行人", "分组"),
    "family": ("家庭", "同一家庭", "家属"),
    "inn": ("客栈", "指定客栈", "酒店"),
    "wait": ("是否候补", "候补", "愿意候补"),
}
_PERSONAL: Final = (
    "姓名", "身份证号", "身份证号码", "公民身份号码", "证件号码",
    "联系电话", "电话", "手机", "手机号",
)  # fmt: skip
COLUMNS: Final = Columns(
    words=_WORDS,
    main=frozenset({"worker_id"}),
    required=("worker_id", "check_in_on", "nights"),
    personal=frozenset(_PERSONAL),
)
