"""What an office reads beside a fault: what is wrong and how to mend it, Chinese first."""

from typing import Final

_ZH: Final[dict[str, str]] = {
    "required": "必填项为空，请补填。",
    "formula_not_allowed": (
        "单元格是公式或错误值（如 #N/A），请改为直接填写的内容（复制后“选择性粘贴为数值”）。"
    ),
    "text_too_long": "内容过长，请缩短（姓名50字、备注500字、其他100字以内）。",
    "id_characters": "身份证号含有不允许的字符，应为17位数字加1位数字或X。",
    "id_old_format": "这是15位旧身份证号，请填写18位身份证号。",
    "id_length": "身份证号应为18位，请核对位数。",
    "id_birthdate": "身份证号中的出生日期不存在或在将来，请核对第7至14位。",
    "id_checksum": "身份证号校验位不符，通常是抄错了一位，请对照证件核对。",
    "id_example": "这是模板示例行的身份证号，请填写本人号码，或删除示例行。",
    "id_precision_lost": (
        "身份证号被表格当作数字保存，末几位已丢失；请先把该列设为文本格式，再重新填写完整号码。"
    ),
    "division_unknown": "身份证号前6位不在现行或历史行政区划代码表中，请核对。",
    "under_age": "提交当日未满16周岁，不能报名。",
    "over_age": "提交当日已超过65周岁，请确认。",
    "gender_mismatch": "性别与身份证号不一致，已以身份证号为准。",
    "value_unclear": "内容不明确，已按空值或身份证信息处理，请核对。",
    "phone_invalid": "号码不正确，应为1开头的11位手机号，请核对。",
    "phone_landline": "填写的是固定电话，建议补充手机号。",
    "phone_several": "填写了多个号码，已采用第一个。",
    "date_invalid": "日期无法识别或超出允许范围，请按 2027-03-01 的格式填写。",
    "date_year_assumed": "日期没有年份，已按最近的年份理解，请核对。",
    "date_in_past": "日期已过，已按提交当日处理。",
    "value_unknown": "内容未能对应到标准目录，已保留原文，请核对。",
    "row_too_long": "该行的内容多于表头列数，请检查是否多了分隔符。",
    "duplicate_in_file": "与第 {first_row} 行是同一人，请删除重复行。",
    "already_known": "此人已由本单位报送且仍在有效期内，已按本次内容更新。",
    "already_known_other_drive": (
        "此人已由本单位报送到另一招聘活动{drive}；如需改报，请先在该活动中撤回报送。"
    ),
    "already_nominated": "此人目前由其他单位报送，暂不能重复报送。",
    "group_incomplete": "同行组有成员未被接收，该组已按其余成员登记。",
    "group_too_large": "同行组人数超过上限，未作为一组登记，请拆分。",
    "sheet_not_read": "工作表“{name}”也有表头，但未读取；请分开提交。",
    "hidden_rows_read": "表中有隐藏的行或列，已一并读取。",
    "example_not_read": "第{row}行是模板的示例，未计入。",
    "header_unknown": "不认识的列，未读取：{name}。",
    "extension_differs": "文件内容与扩展名不同，已按内容（{name}）读取。",
}


def general(code: str) -> str | None:
    """Give the sentence of a code for all of its issues together; None for a file's own code."""
    sentence = _ZH.get(code)
    return sentence and sentence.format(first_row="…", drive="", name="…", row="…")


def message(code: str, **values: object) -> str:
    """Give the Chinese sentence of a code, with what it names filled in."""
    return _ZH[code].format(**values)
