"""The reference tables: whole, consistent, and found by what people write."""

import re
from collections.abc import Callable

import pytest

from contracts import reference as ref
from contracts.reference.tables import rows, words
from contracts.reference.text import plain

TABLES = ("divisions", "places", "towns", "occupations", "education", "certificates")
PARTNERS = ("530000", "340000", "430000", "410000", "360000", "420000", "620000", "653100")


@pytest.mark.parametrize("table", TABLES)
def test_a_table_says_its_version_and_its_source(table: str) -> None:
    told = dict(ref.provenance(table))
    assert re.fullmatch(r"\d{4}", told["version"])
    assert told["what"]
    assert told["source"]


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_no_ragged_row_and_no_code_twice(table: str) -> None:
    for row in rows(table):
        assert None not in row
        assert None not in row.values()
        assert row["code"] == row["code"].strip() != ""
    keys = [(row["code"], row.get("from_year")) for row in rows(table)]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("table", ["occupations", "education", "certificates"])
def test_a_synonym_means_one_thing(table: str) -> None:
    meanings: dict[str, str] = {}
    for row in rows(table):
        for word in (row["name"], *words(row["synonyms"])):
            assert meanings.setdefault(plain(word), row["code"]) == row["code"], word


# --- divisions


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("310000", "上海市"),
        ("310104", "徐汇区"),
        ("310114", "嘉定区"),
        ("310151", "崇明区"),
        ("530000", "云南省"),
        ("530900", "临沧市"),
        ("530902", "临翔区"),
        ("532500", "红河哈尼族彝族自治州"),
        ("532527", "泸西县"),
        ("412723", "商水县"),
        ("310230", "崇明县"),
        ("533521", "临沧县"),
        ("440524", None),
    ],
)
def test_the_guides_divisions_have_their_names(code: str, name: str | None) -> None:
    if name is None:
        assert ref.is_known_division(code)
        assert not ref.is_present(code)
    else:
        assert ref.division_name(code) == name


@pytest.mark.parametrize("code", ["412723", "310230", "533521", "533528", "440524", "530902"])
def test_a_code_that_was_ever_in_force_is_known(code: str) -> None:
    assert ref.is_known_division(code)


@pytest.mark.parametrize("code", ["810000", "820000", "830000", "830123"])
def test_prefixes_of_residence_permits_are_in_order(code: str) -> None:
    assert ref.is_known_division(code)


@pytest.mark.parametrize(
    "code", ["999999", "000000", "530999", "8301", "", "83012a", "８３０１２３４"]
)
def test_what_never_was_a_division_is_unknown(code: str) -> None:
    assert not ref.is_known_division(code)
    assert not ref.is_present(code)


def test_retired_codes_are_not_present() -> None:
    assert not ref.is_present("412723")
    assert not ref.is_present("533521")
    assert ref.is_present("530902")


def test_a_county_knows_its_prefecture_province_and_city() -> None:
    assert ref.prefecture_of("530902") == "530900"
    assert ref.province_of("530902") == "530000"
    assert ref.city_of("530902") == "530900"
    assert ref.city_of("310114") == ref.city_of("310151") == ref.prefecture_of("310114") == "310000"
    assert ref.city_of("429004") == "429004"


def test_every_seat_lies_in_its_prefecture() -> None:
    for row in rows("divisions"):
        if row["seat"]:
            assert ref.prefecture_of(row["seat"]) == row["code"]
            assert ref.is_county(row["seat"])
    assert ref.seat_of("530900") == "530902"
    assert ref.seat_of("532500") == "532503"
    assert ref.seat_of("341200") == "341202"
    assert ref.seat_of("653100") == "653101"


def test_every_county_of_the_partners_and_of_shanghai_has_a_position() -> None:
    for region in (*PARTNERS, "310000"):
        for county in ref.counties_of(region):
            position = ref.position(county)
            assert position is not None, county
            assert 73 < position[0] < 125
            assert 18 < position[1] < 45
    assert len(ref.counties_of("310000")) == 16
    assert len(ref.counties_of("530000")) == 129


def test_distances_are_those_of_the_map() -> None:
    assert ref.distance_km("530902", "310114") == pytest.approx(2240, rel=0.02)
    assert ref.distance_km("310114", "310114") == 0
    assert ref.distance_km("310114", "999999") is None


@pytest.mark.parametrize(
    ("text", "within", "code"),
    [
        ("云南省临沧市临翔区忙畔街道", "530900", "530902"),
        ("临翔区", "530900", "530902"),
        ("临翔", "530900", "530902"),
        ("云南临沧凤庆", "530900", "530921"),
        ("中国云南省 临沧市　云县爱华镇", "530900", "530922"),
        ("云县", "530900", "530922"),
        ("云南省临沧市双江拉祜族佤族布朗族傣族自治县", "530900", "530925"),
        ("双江县", "530900", "530925"),
        ("红河州红河县", "532500", "532529"),
        ("云南省红河州泸西县", "532500", "532527"),
        ("红河", "532500", None),
        ("云南省临沧市", "530900", None),
        ("安徽省阜阳市临泉县", "530900", None),
        ("安徽省阜阳市临泉县", None, "341221"),
        ("颍州区", "530000", None),
        ("临翔区", "530902", "530902"),
        ("凤庆县", "530902", None),
        ("朝阳区", None, None),
        ("朝阳区", "110000", "110105"),
        ("上海市嘉定区南翔镇", None, "310114"),
        ("上海市上海市嘉定区", None, "310114"),
        ("湖北省仙桃市", None, "429004"),
        ("不详", "530900", None),
        ("", "530900", None),
        ("临" * 5000, "530900", None),
    ],
)
def test_an_address_is_refined_only_inside_what_is_given(
    text: str, within: str | None, code: str | None
) -> None:
    assert ref.find_division(text, within) == code


@pytest.mark.parametrize("county", ref.counties_of("530000") + ref.counties_of("341200"))
def test_every_county_is_found_by_its_full_address(county: str) -> None:
    province, prefecture = ref.province_of(county), ref.prefecture_of(county)
    names = (ref.division_name(code) or "" for code in (province, prefecture, county))
    assert ref.find_division("".join(names) + "某镇某村 1 号", prefecture) == county
    assert ref.find_division(ref.division_name(county) or "", prefecture) == county


# --- places


def test_every_county_of_the_partners_has_its_coach_station() -> None:
    for region in (*PARTNERS, "310000"):
        for county in ref.counties_of(region):
            station = ref.place(f"{county}-00")
            assert station is not None, county
            assert station.division_code == county


def test_every_place_lies_where_its_code_says() -> None:
    for row in rows("places"):
        assert re.fullmatch(r"\d{6}-\d{2}", row["code"])
        assert row["code"][:6] == row["division_code"]
        assert ref.is_county(row["division_code"])


@pytest.mark.parametrize(
    ("text", "within", "code"),
    [
        ("临翔区客运站", "530902", "530902-00"),
        ("临翔区客运站", "530900", "530902-00"),
        ("临翔 客运站", "530900", "530902-00"),
        ("临翔区汽车客运站", "530902", "530902-00"),
        ("客运站", "530921", "530921-00"),
        ("汽车站", "530900", "530902-00"),
        ("县城客运站", "530921", "530921-00"),
        ("凤庆县客运站", "530902", "530921-00"),
        ("凤庆县", "530900", "530921-00"),
        ("云南省临沧市云县客运站", "530900", "530922-00"),
        ("临沧火车站", "530900", "530902-01"),
        ("临沧站", "530921", "530902-01"),
        ("火车站", "530902", "530902-01"),
        ("昆明南站", "530902", "530114-01"),
        ("红河州客运站", "532500", "532503-02"),
        ("楚雄州客运站", "532300", "532301-00"),
        ("颍州区客运站", "341200", "341202-00"),
        ("上海虹桥站", "310112", "310112-01"),
        ("530902-01", "530921", "530902-01"),
        ("530902-99", "530902", None),
        ("村口大榕树", "530900", None),
        ("凤庆县小湾镇路口", "530900", None),
        ("站", "530900", None),
        ("", "530902", None),
    ],
)
def test_a_text_names_a_place_or_none(text: str, within: str, code: str | None) -> None:
    assert ref.find_place(text, within) == code


@pytest.mark.parametrize("prefecture", ["530900", "532500", "341200"])
def test_each_demo_countys_station_is_found_by_the_name_of_its_county(prefecture: str) -> None:
    for county in ref.counties_of(prefecture):
        for within in (county, prefecture):
            text = f"{ref.division_name(county)}客运站"
            assert ref.find_place(text, within) == f"{county}-00", text


# --- towns


def test_the_programme_serves_twelve_towns_of_jiading() -> None:
    towns = ref.towns_of("YOUJIA")
    assert len(towns) == 12
    assert {town.division_code for town in towns} == {"310114"}


def test_a_town_is_near_its_neighbours_and_far_from_the_islands() -> None:
    nanxiang, jiangqiao = ("南翔镇", "310114"), ("江桥镇", "310114")
    changxing = ("长兴镇", "310151")
    assert ref.town_distance_km(nanxiang, nanxiang) == 0
    assert ref.town_distance_km(nanxiang, ("南翔", "310114")) == 0
    assert 3 < ref.town_distance_km(nanxiang, jiangqiao) < 8
    assert ref.town_distance_km(nanxiang, changxing) > 30
    assert ref.town_distance_km(nanxiang, changxing) == ref.town_distance_km(changxing, nanxiang)


def test_an_unknown_town_is_where_its_district_is() -> None:
    unknown = ("某镇", "310114")
    assert ref.town_distance_km(unknown, ("别镇", "310114")) == 0
    assert 0 < ref.town_distance_km(unknown, ("南翔镇", "310114")) < 20
    assert ref.town_distance_km(("某镇", "999999"), unknown) == float("inf")


# --- occupations, education, certificates


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("缝纫工", ("缝纫工",)),
        ("电子装配工", ("电子设备装接工",)),
        ("焊工", ("焊工",)),
        ("保洁员", ("保洁员",)),
        ("餐厅服务员", ("餐厅服务员",)),
        ("仓库管理员", ("仓储管理员",)),
        ("电工", ("电工",)),
        ("普工", ("其他生产制造及有关人员",)),
        ("熟练车衣工", ("缝纫工",)),
        ("缝纫工、焊工/电工；缝纫工", ("缝纫工", "焊工", "电工")),
        ("CNC 操作员", ("多工序数控机床操作调整工",)),
        ("ｃｎｃ操作员", ("多工序数控机床操作调整工",)),
        ("随便", ()),
        ("", ()),
    ],
)
def test_wished_work_becomes_codes(text: str, names: tuple[str, ...]) -> None:
    codes = ref.occupation_codes(text)
    assert tuple(ref.occupation_name(code) for code in codes) == names


def test_nearness_falls_with_the_groups() -> None:
    welder, lathe, fitter = "6-18-02-04", "6-18-01-01", "6-20-01-01"
    forger, cook, labourer = "6-18-02-02", "4-03-02-01", "6-99-00-00"
    nearness = [ref.occupation_nearness(welder, x) for x in (welder, forger, lathe, fitter, cook)]
    assert nearness == sorted(nearness, reverse=True)
    assert len(set(nearness)) == len(nearness)
    assert nearness[0] == 1
    assert nearness[-1] == 0
    assert ref.occupation_nearness(labourer, welder) > ref.occupation_nearness(labourer, cook)
    assert ref.occupation_nearness(welder, cook) == ref.occupation_nearness(cook, welder)


def test_levels_of_education_have_their_order() -> None:
    order = ["文盲", "小学", "初中", "高中", "大专", "本科", "硕士", "博士"]
    ranks = [ref.education_rank(ref.education_code(text) or "") for text in order]
    assert None not in ranks
    assert ranks == sorted(set(ranks), key=lambda rank: rank or 0)
    secondary = {ref.education_rank(ref.education_code(t) or "") for t in ("中专", "技校", "高中")}
    assert len(secondary) == 1
    assert ref.education_code("大专毕业") == ref.education_code("大专")
    assert ref.education_code("看情况") is None
    assert ref.education_rank("no") is None


def test_certificates_become_codes() -> None:
    assert ref.certificate_codes("电工证、叉车证,焊工证") == ("TZZY-11", "TZSB-N1", "TZZY-21")
    assert ref.certificate_codes("有健康证") == ("JKZ",)
    assert ref.certificate_codes("C1驾照") == ("JSZ-C1",)
    assert ref.certificate_codes("没有") == ()
    assert ref.certificate_name("TZSB-N1") == "特种设备作业人员证（叉车司机）"


@pytest.mark.parametrize(
    ("table", "codes"),
    [("occupations", ref.occupation_codes), ("certificates", ref.certificate_codes)],
)
def test_every_name_of_a_table_is_its_own_thing(
    table: str, codes: Callable[[str], tuple[str, ...]]
) -> None:
    named = [(w, r["code"]) for r in rows(table) for w in (r["name"], *words(r["synonyms"]))]
    assert [(w, codes(w)) for w, code in named if codes(w) != (code,)] == []


def test_every_code_of_the_tables_fits_into_an_event() -> None:
    for table in ("occupations", "education", "certificates"):
        for row in rows(table):
            assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,29}", row["code"])
            assert not re.search(r"\d{7}", row["code"])
