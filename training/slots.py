"""What patterns leave open: numbers as people say them, names, places, times. All take the random source."""

from __future__ import annotations

from collections.abc import Callable
from random import Random


def _listed(words: str) -> list[str]:
    return words.split()


DIGITS = "零一二三四五六七八九"

SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟"
    "汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪严"
    "牛温芦季俞章鲁葛伍韦申尤毕聂丛焦向柳邢路岳齐沿梅莫庄辛管祝左涂谷祁时舒耿牟卜詹关苗凌费纪靳盛童欧甄项曲成游阳裴席"
    "卫查屈鲍位覃霍翁隋植甘景薄单包司柏宁柯阮桂闵解强柴华车冉房边"
)
GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红梅建国文志海燕春雪玲飞鹏辉波斌宇浩凯健俊帆雨欣怡佳琪婷思嘉"
    "子轩晨阳小龙美慧颖晓东立新庆家豪梦瑶丹萍莉云峰林琳倩薇宁洁诗涵悦彤睿博航泽昊然天宏达德福贵荣昌盛义仁信忠孝廉正清"
    "源远航凤珍珠菊莲荷香兴旺财金银铜山川江河湖岩石松柏柳枫桐月星辰光亮"
)
CITIES = _listed(
    "北京 上海 广州 深圳 杭州 南京 成都 武汉 西安 重庆 天津 苏州 长沙 郑州 青岛 大连 厦门 沈阳 济南 合肥 福州 昆明 "
    "南昌 石家庄 哈尔滨 长春 太原 南宁 贵阳 海口 兰州 银川 西宁 拉萨 乌鲁木齐 呼和浩特 宁波 温州 无锡 常州 南通 "
    "徐州 扬州 绍兴 嘉兴 金华 台州 珠海 佛山 东莞 中山 惠州 汕头 烟台 潍坊 洛阳 开封 襄阳 宜昌 桂林 三亚 香港 澳门"
)
STREETS = _listed(
    "人民路 中山路 解放路 建设路 和平路 新华路 长江路 黄河路 北京路 南京路 幸福路 光明路 朝阳路 胜利路 文化路 "
    "工业路 学院路 环城东路 滨江大道 迎宾大道 车站街 育才街 友谊街 东风路 青年路 民主路 西湖路 湖滨路 江南大道 "
    "世纪大道 科技路 花园路 健康路 体育路 平安大街 前进街 红旗街 大学路 东大街 南环路 北环路 三环路 翠竹路 桃园路 "
    "梅花巷 柳树巷 石桥巷"
)
ESTATES = _listed(
    "幸福小区 阳光花园 东方家园 锦绣花园 金色家园 翠湖花园 世纪城 万科城 丽景苑 福源小区 安居苑 春江花园 绿洲小区 "
    "滨河小区 月亮湾 牡丹园 百合苑 枫叶家园 和谐家园 龙湖小区 南苑小区 北苑小区 西城家园 学府花园 御景湾 银杏苑 "
    "康乐小区 新村 机关大院 教师公寓"
)
COMPANIES = _listed(
    "燃气公司 自来水公司 供电公司 热力公司 物流公司 快递公司 保险公司 移动公司 电信公司 联通公司 航空公司 旅行社 "
    "银行 信用卡中心 客服中心 售后服务中心 客户服务热线 电商平台 物业公司 家具公司 家电公司 装修公司 租车公司 "
    "出版社 医院 社区服务中心 公积金中心 社保中心 税务局 顺创公司 七派送 五行服务 华润燃气 港华燃气 新奥燃气 "
    "官方旗舰店 会员中心"
)
UNITS = ("块", "元", "块钱", "元钱")
MORE_THAN_ONE = ("分钟", "个小时", "天", "个月", "年", "个星期", "周", "个工作日", "秒钟", "个半小时")


def cardinal(value: int) -> str:
    """A number as it is read: 305 → 三百零五. From 0 to 99,999,999."""
    if value >= 10_000:
        rest = value % 10_000
        tail = ("零" if rest < 1000 else "") + _thousands(rest, leading=True) if rest else ""
        return cardinal(value // 10_000) + "万" + tail
    return _thousands(value, leading=False)


def _thousands(value: int, *, leading: bool) -> str:
    if value == 0:
        return "零"
    if 10 <= value < 20 and not leading:
        return "十" + (DIGITS[value - 10] if value > 10 else "")
    text, zero = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = value // unit % 10
        if digit:
            text += ("零" if zero and text else "") + DIGITS[digit] + name
            zero = False
        else:
            zero = True
    return text


def spelled(r: Random, count: int, first: str = "0123456789") -> str:
    """``count`` digits read one by one; 幺 for one in half of the strings."""
    digits = r.choice(first) + "".join(r.choice("0123456789") for _ in range(count - 1))
    one = r.choice("一幺")
    return "".join(one if digit == "1" else DIGITS[int(digit)] for digit in digits)


def phone(r: Random) -> str:
    """A mobile number, digit by digit."""
    rest = r.choice("3456789") + "".join(r.choice("0123456789") for _ in range(9))
    one = r.choice("一幺幺")
    return "".join(one if digit == "1" else DIGITS[int(digit)] for digit in "1" + rest)


def landline(r: Random) -> str:
    """A number with its area code."""
    return "零" + spelled(r, r.choice((2, 3)), "23457") + spelled(r, r.choice((7, 8)), "2345678")


def identity(r: Random) -> str:
    """The eighteen digits of an identity card."""
    born = r.randint(1940, 2012)
    digits = f"{r.randint(110, 659)}{r.randint(100, 999)}{born}"
    digits += f"{r.randint(1, 12):02}{r.randint(1, 28):02}{r.randint(0, 9999):04}"
    one = r.choice("一幺")
    return "".join(one if digit == "1" else DIGITS[int(digit)] for digit in digits)


def money(r: Random) -> str:
    """A sum."""
    round_sum = (50, 100, 200, 500, 1000, 3000)
    value = r.choice((r.randint(1, 99), r.randint(10, 999), r.randint(100, 9999), r.choice(round_sum)))
    text = cardinal(value).replace("二百", r.choice(("两百", "二百"))).replace("二千", "两千")
    kind = r.random()
    if kind < 0.5:
        return ("两" if value == 2 else text) + r.choice(UNITS)
    if kind < 0.75:
        return text + "块" + DIGITS[r.randint(1, 9)] + r.choice(("", "毛"))
    return text + "点" + DIGITS[r.randint(0, 9)] + DIGITS[r.randint(1, 9)] + r.choice(("元", "块"))


def count(r: Random) -> str:
    """A small number as it stands before a measure word: two is 两."""
    value = r.choice((r.randint(1, 9), r.randint(2, 99)))
    return "两" if value == 2 else cardinal(value)


def year(r: Random) -> str:
    """A year, digit by digit."""
    value = r.randint(1950, 2030)
    digits = "".join(DIGITS[int(digit)] for digit in str(value))
    return (digits if r.random() < 0.7 else digits[2:]) + "年"


def date(r: Random) -> str:
    """Month and day."""
    return cardinal(r.randint(1, 12)) + "月" + cardinal(r.randint(1, 31)) + r.choice("号号日")


def weekday(r: Random) -> str:
    """A day of a week."""
    return r.choice(("星期", "周", "礼拜", "下周", "上周", "下星期", "这周")) + r.choice("一二三四五六")


def time(r: Random) -> str:
    """A time of day."""
    hour = r.randint(1, 12)
    part = r.choice(("", "", "上午", "下午", "晚上", "早上", "中午", "凌晨"))
    tail = r.choice(("点", "点", "点钟", "点半", "点一刻", "点" + cardinal(r.randint(10, 59)) + "分", "点左右"))
    return part + ("两" if hour == 2 else cardinal(hour)) + tail


def duration(r: Random) -> str:
    """A length of time."""
    if r.random() < 0.1:
        return r.choice(("半个小时", "半天", "半个月", "半年", "一会儿", "一个半小时", "大半天", "好几天"))
    value = r.choice((1, 2, 3, 5, 7, 10, 15, 20, 24, 30, 48, r.randint(1, 60)))
    return ("两" if value == 2 else cardinal(value)) + r.choice(MORE_THAN_ONE)


def name(r: Random) -> str:
    """A full name."""
    return r.choice(SURNAMES) + "".join(r.choice(GIVEN) for _ in range(r.choice((1, 2, 2))))


def address(r: Random) -> str:
    """A street, an estate, a building, a flat: any of them."""
    parts = []
    if r.random() < 0.4:
        parts.append(r.choice(CITIES) + r.choice(("", "市")))
    if r.random() < 0.6:
        number = cardinal(r.randint(1, 999)) if r.random() < 0.7 else spelled(r, 3, "123456789")
        parts.append(r.choice(STREETS) + number + "号")
    if r.random() < 0.7 or not parts:
        parts.append(r.choice(ESTATES))
    if r.random() < 0.7:
        parts.append(cardinal(r.randint(1, 38)) + r.choice(("号楼", "栋", "幢", "座")))
    if r.random() < 0.4:
        parts.append(cardinal(r.randint(1, 6)) + r.choice(("单元", "门")))
    if r.random() < 0.6:
        parts.append(spelled(r, r.choice((3, 3, 4)), "123456789") + r.choice(("", "室", "号房")))
    return "".join(parts)


def percent(r: Random) -> str:
    """A share in per cent."""
    tail = "点" + DIGITS[r.randint(1, 9)] if r.random() < 0.25 else ""
    return "百分之" + cardinal(r.randint(1, 100)) + tail


def number(r: Random) -> str:
    """Any number: small, large or with decimals."""
    value = r.choice((r.randint(0, 99), r.randint(100, 9999), r.randint(10_000, 9_999_999)))
    tail = "点" + "".join(DIGITS[r.randint(0, 9)] for _ in range(r.randint(1, 2))) if r.random() < 0.25 else ""
    return cardinal(value) + tail


SLOTS: dict[str, Callable[[Random], str]] = {
    "phone": phone,
    "landline": landline,
    "idcard": identity,
    "digits4": lambda r: spelled(r, 4),
    "digits6": lambda r: spelled(r, 6),
    "digits8": lambda r: spelled(r, 8),
    "orderno": lambda r: spelled(r, r.randint(8, 14)),
    "money": money,
    "count": count,
    "number": number,
    "year": year,
    "date": date,
    "weekday": weekday,
    "time": time,
    "duration": duration,
    "name": name,
    "surname": lambda r: r.choice(SURNAMES),
    "title": lambda r: r.choice(("先生", "女士", "小姐")),
    "city": lambda r: r.choice(CITIES),
    "address": address,
    "company": lambda r: r.choice(COMPANIES),
    "percent": percent,
}
"""Every name that a pattern may put into braces."""
