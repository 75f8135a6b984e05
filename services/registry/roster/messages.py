"""What an office reads beside a fault: what is wrong and how to mend it, Chinese first."""

from typing import Final

_SAID: Final[dict[str, tuple[str, str]]] = {
    "required": (
        "必填项为空，请补填。",
        "Required; fill it in.",
    ),
    "formula_not_allowed": (
        "单元格是公式或错误值（如 #N/A），请改为直接填写的内容（复制后“选择性粘贴为数值”）。",
        "A formula or an error's value; paste the value itself.",
    ),
    "text_too_long": (
        "内容过长，请缩短（姓名50字、备注500字、其他100字以内）。",
        "Too long: a name takes 50 characters, remarks 500, anything else 100.",
    ),
    "id_characters": (
        "身份证号含有不允许的字符，应为17位数字加1位数字或X。",
        "An ID number has 17 digits and then a digit or X.",
    ),
    "id_old_format": (
        "这是15位旧身份证号，请填写18位身份证号。",
        "An ID number of 15 digits; give the one of 18.",
    ),
    "id_length": (
        "身份证号应为18位，请核对位数。",
        "An ID number has 18 characters.",
    ),
    "id_birthdate": (
        "身份证号中的出生日期不存在或在将来，请核对第7至14位。",
        "Digits 7 to 14 are no day, or one to come.",
    ),
    "id_checksum": (
        "身份证号校验位不符，通常是抄错了一位，请对照证件核对。",
        "The check digit is wrong; compare with the ID card.",
    ),
    "id_example": (
        "这是模板示例行的身份证号，请填写本人号码，或删除示例行。",
        "The template's example; give the person's own number or delete the row.",
    ),
    "id_precision_lost": (
        "身份证号被表格当作数字保存，末几位已丢失；请先把该列设为文本格式，再重新填写完整号码。",
        "Kept as a number, so its last digits are lost; make the column text and type it again.",
    ),
    "division_unknown": (
        "身份证号前6位不在现行或历史行政区划代码表中，请核对。",
        "The first 6 digits are no division, past or present.",
    ),
    "under_age": (
        "提交当日未满16周岁，不能报名。",
        "Under 16 on the day of submission.",
    ),
    "over_age": (
        "提交当日已超过65周岁，请确认。",
        "Over 65 on the day of submission; please confirm.",
    ),
    "gender_mismatch": (
        "性别与身份证号不一致，已以身份证号为准。",
        "Not the ID number's gender, which was taken.",
    ),
    "value_unclear": (
        "内容不明确，已按空值或身份证信息处理，请核对。",
        "Unclear; taken as empty or as the ID number says.",
    ),
    "phone_invalid": (
        "号码不正确，应为1开头的11位手机号，请核对。",
        "A mobile number has 11 digits and begins with 1.",
    ),
    "phone_landline": (
        "填写的是固定电话，建议补充手机号。",
        "A landline; better add a mobile number.",
    ),
    "phone_several": (
        "填写了多个号码，已采用第一个。",
        "Several numbers; the first was taken.",
    ),
    "date_invalid": (
        "日期无法识别或超出允许范围，请按 2027-03-01 的格式填写。",
        "No date, or out of range; write 2027-03-01.",
    ),
    "date_year_assumed": (
        "日期没有年份，已按最近的年份理解，请核对。",
        "No year; the nearest was taken.",
    ),
    "date_in_past": (
        "日期已过，已按提交当日处理。",
        "Past; taken as the day of submission.",
    ),
    "value_unknown": (
        "内容未能对应到标准目录，已保留原文，请核对。",
        "Not in the reference table; kept as written.",
    ),
    "row_too_long": (
        "该行的内容多于表头列数，请检查是否多了分隔符。",
        "More cells than headers; look for a separator too many.",
    ),
    "duplicate_in_file": (
        "与第 {first_row} 行是同一人，请删除重复行。",
        "The same person stands further up; delete one row.",
    ),
    "already_known": (
        "此人已由本单位报送且仍在有效期内，已按本次内容更新。",
        "Nominated by you before and still active; updated by this row.",
    ),
    "already_known_other_drive": (
        "此人已由本单位报送到另一招聘活动{drive}；如需改报，请先在该活动中撤回报送。",
        "Nominated by you for another drive; withdraw there first.",
    ),
    "already_nominated": (
        "此人目前由其他单位报送，暂不能重复报送。",
        "Nominated by another organisation at present.",
    ),
    "group_incomplete": (
        "同行组有成员未被接收，该组已按其余成员登记。",
        "Somebody of the group was left out; the others are registered as one.",
    ),
    "group_too_large": (
        "同行组人数超过上限，未作为一组登记，请拆分。",
        "Too many for a group; registered one by one. Split it.",
    ),
    "sheet_not_read": (
        "工作表“{name}”也有表头，但未读取；请分开提交。",
        "Another sheet has a header too and was not read; send it separately.",
    ),
    "hidden_rows_read": (
        "表中有隐藏的行或列，已一并读取。",
        "Hidden rows or columns were read as well.",
    ),
    "example_not_read": (
        "第{row}行是模板的示例，未计入。",
        "The template's example row does not count.",
    ),
    "header_unknown": (
        "不认识的列，未读取：{name}。",
        "An unknown column was not read.",
    ),
    "extension_differs": (
        "文件内容与扩展名不同，已按内容（{name}）读取。",
        "Read by its content, which is not what the extension says.",
    ),
}


def message(code: str, **values: object) -> str:
    """Give the Chinese sentence of a code, with what it names filled in."""
    return _SAID[code][0].format(**values)


def general(code: str) -> str | None:
    """Give the sentence of a code for all of its issues together; None for a file's own code."""
    if code not in _SAID:
        return None
    return message(code, first_row="…", drive="", name="…", row="…")


def english(code: str) -> str:
    """Give the English beside the Chinese, which alone names what it is about; "" if it has one."""
    return _SAID[code][1] if code in _SAID else ""
