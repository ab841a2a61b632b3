"""Random values for a scene's slots, written in one manner on one page."""

from __future__ import annotations

import random

from training.rule_questions import MONTHS

FIRST = (
    "Ada Alma Amir Anja Arno Beata Bela Bram Carla Cem Cora Dalia Dario Dunja Edda Eino Elif Emre Enzo Erik Esra Fadi Fenna Finn Flora Gita Goran Greta Hana Hugo Ida Ilse Imre Ines "
    "Iris Ivo Jana Jonas Judit Kaito Karim Lale Lars Leni Liam Lotte Luca Maja Malik Marit Mateo Mila Mina Nadia Niko Nils Nora Olga Omar Oskar Petra Priya Rafa Rana Rosa Runa Sami Sanna "
    "Selma Sofia Stellan Tarek Tessa Thea Timo Tuva Ulla Vera Viktor Wanda Wim Yara Yusuf Zora"
).split()
LAST = (
    "Abend Achterberg Ahlgren Almasi Amsel Arslan Bakker Balint Barrow Bellweather Berger Bianchi Blom Bosman Brandt Calder Castell Dahl Danso Demir Dorn Eklund Ellery Falk Farkas Fenwick Ferrant "
    "Fiedler Garner Gerlach Goldwin Haddad Hagen Harrow Hashimi Holm Horvat Ilves Ivarsson Jansen Jarvi Kask Keller Khoury Kovac Kruse Lindqvist Loring Lund Mader Marsh Mensah Meyer Moreau Nagy Nakata "
    "Nasser Nordin Novak Okoro Olsen Ortega Pallister Pereira Quist Rahimi Rask Reiter Rossi Rowan Sandoval Sato Schilling Seidl Sorel Stark Strand Szabo Tamm Thorne Toth Ulrich Vance Varga Vester "
    "Wagner Weiss Winther Yilmaz Zander"
).split()
HEADS = "Ald Bram Cal Dun Eld Fair Gren Hol Inver Kest Lang Mar Nor Ost Pel Quar Rath Sel Tarn Ul Vel West Yar Zim".split()
TAILS = "berg borough bridge by dale ford gate ham haven holm ley mere minster mouth port sted stow ton vik wick worth".split()
WORKS = "Works,Society,Partners,Institute,Trust,Group,Supplies,Lab,Cooperative,Brothers,& Sons,Union,House,Services".split(",")
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONEY = ("{} EUR", "€{}", "EUR {}", "£{}", "${}", "{} euros", "{} crowns", "CHF {}")
DATES = ("{d} {m} {y}", "{d} {m} {y}", "{m} {d}, {y}", "{y}-{n:02}-{d:02}", "{d} {m}")
TIMES = ("{h:02}:{q:02}", "{h}:{q:02}", "{h:02}.{q:02}", "{t}:{q:02} {half}")
PERCENT = ("{}%", "{}%", "{} per cent", "{} %")


class Values:
    """Draws values of one page: `plain` for code, where numbers and sums stand bare of separators."""

    def __init__(self, rng: random.Random, plain: bool):
        self.rng = rng
        self.money, self.dates = rng.choice(MONEY), rng.choice(DATES)
        self.times, self.percent = rng.choice(TIMES), rng.choice(PERCENT)
        self.commas, self.year = not plain and rng.random() < 0.7, rng.randint(1990, 2030)

    def drawn(self, slots: dict[str, str]) -> dict[str, str]:
        """Slot -> value; values of one page differ where they can."""
        taken: dict[str, str] = {}
        for name, kind in slots.items():
            for _ in range(8):
                value = self.value(kind)
                if value not in taken.values():
                    break
            taken[name] = value
        return taken

    def value(self, kind: str) -> str:
        sort, _, rest = kind.partition(" ")
        draw = getattr(self, f"_{sort}", None)
        if sort == "choice":
            return self.rng.choice([c.strip() for c in rest.split("|") if c.strip()])
        if draw is None:
            raise ValueError(f"no such sort of slot: {kind}")
        return draw(*(float(x) for x in rest.split()))

    def _int(self, low: float = 1, high: float = 90) -> str:
        # Wide ranges by order of magnitude, and round as people choose them.
        value = round(low * (high / low) ** self.rng.random()) if low > 0 and high > 20 * low else self.rng.randint(int(low), int(high))
        if value > 100 and self.rng.random() < 0.6:
            value = max(int(low), round(value, -len(str(value)) + 2))
        return f"{value:,}" if self.commas else str(value)

    def _float(self, low: float = 0, high: float = 1) -> str:
        return f"{self.rng.uniform(low, high):.{2 if high - low < 2 else 1}f}"

    def _money(self, low: float = 1, high: float = 900) -> str:
        return self.money.format(self._int(low, high))

    def _percent(self, low: float = 1, high: float = 99) -> str:
        return self.percent.format(f"{self.rng.uniform(low, high):.1f}" if high - low < 12 or self.rng.random() < 0.2 else self.rng.randint(int(low), int(high)))

    def _date(self) -> str:
        n = self.rng.randrange(12)
        return self.dates.format(d=self.rng.randint(1, 28), m=MONTHS[n], n=n + 1, y=self.year + self.rng.randint(0, 1))

    def _time(self) -> str:
        h, q = self.rng.randint(6, 22), self.rng.choice((0, 0, 15, 30, 30, 45))
        return self.times.format(h=h, q=q, t=(h - 1) % 12 + 1, half="am" if h < 12 else "pm")

    def _year(self, low: float = 1900, high: float = 2030) -> str:
        return str(self.rng.randint(int(low), int(high)))

    def _month(self) -> str:
        return self.rng.choice(MONTHS)

    def _weekday(self) -> str:
        return self.rng.choice(DAYS)

    def _person(self) -> str:
        return f"{self.rng.choice(FIRST)} {self.rng.choice(LAST)}"

    def _place(self) -> str:
        return self.rng.choice(HEADS) + self.rng.choice(TAILS)

    def _org(self) -> str:
        return f"{self._place() if self.rng.random() < 0.5 else self.rng.choice(LAST)} {self.rng.choice(WORKS)}"

    def _id(self) -> str:
        letters = "".join(self.rng.choice("ABCDEFGHKLMNPRSTVX") for _ in range(self.rng.randint(1, 3)))
        return f"{letters}{self.rng.choice(('-', '', '/'))}{self.rng.randrange(10, 9999)}"

    def _version(self) -> str:
        return ".".join(str(self.rng.randrange(1, top)) for top in (9, 20, 12)[: self.rng.choice((2, 3, 3))])
