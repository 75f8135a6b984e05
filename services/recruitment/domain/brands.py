"""Labour brands (劳务品牌) that the bulletins name: codes, and what people write."""

from typing import Final

#: Code -> name. Others may be used by their code.
LABOUR_BRANDS: Final[dict[str, str]] = {
    "chongming_lincang_marine": "崇明临沧海装人才",
    "caiyun_blue_firefighter": "彩云之蓝消防员",
    "nufang_pujiang_builder": "怒放浦江建筑工",
    "nanxiang_dim_sum": "南翔小笼中式面点师",
}
_BY_NAME: Final = {name: code for code, name in LABOUR_BRANDS.items()}


def brand_of(text: str) -> str | None:
    """Give the code of a brand by its name; None if it is none of these."""
    return _BY_NAME.get(text)
