"""The page of the architecture and its pictures, made from the imports as they are.

Run it after a room, its docstring or an import between rooms has changed::

    python -m scripts.architecture_page
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"
FOLDER = ROOT / "docs" / "architecture"
PACKAGES = ("gradcheck", "diagnostics")

# Pixels of the picture: a room is a row, a long import an arc beside the rows.
WIDTH, ROW, HEIGHT, LEFT, TOP = 720, 44, 34, 12, 44
BULGE, BULGE_PER_ROW = 14, 22
# Of the arrows from one room after the other: Okabe and Ito, "Color Universal Design" (2008).
COLOURS = ("#0072b2", "#d55e00", "#555555")

INTRODUCTION = """# Architecture

`gradcheck`, `diagnostics` and `network` do not import one another; only the command line and the
demonstration see all three. Within a package a room imports rooms below it, never above: that is
the order of the pipeline, held by `lint-imports` (`[tool.importlinter]` in `pyproject.toml`).

An arrow is an import; those that follow from other arrows are left out of the pictures, and named
in the tables. Rooms in one frame stand side by side. Pictures and tables are made from the code by
`python -m scripts.architecture_page`.
"""


@dataclass(frozen=True)
class Architecture:
    """The rooms of one package: its modules and folders at the top level.

    Attributes
    ----------
    package
        Its name.
    pipeline
        What it does, as its import contract is called.
    floors
        The rooms from top to bottom; those of one floor do not import one another.
    imports
        The rooms that each room imports.
    """

    package: str
    pipeline: str
    floors: tuple[tuple[str, ...], ...]
    imports: dict[str, set[str]]

    @property
    def rooms(self) -> list[str]:
        """All rooms from top to bottom."""
        return [room for floor in self.floors for room in floor]

    def arrows(self) -> Iterator[tuple[str, str]]:
        """Yield the imports that do not follow from others."""
        for room in self.rooms:
            indirect = {far for near in self.imports[room] for far in self.below(near)}
            for other in sorted(self.imports[room] - indirect, key=self.rooms.index):
                yield room, other

    def below(self, room: str) -> set[str]:
        """Return all rooms that ``room`` imports, directly or not."""
        found: set[str] = set()
        waiting = [room]
        while waiting:
            new = self.imports[waiting.pop()] - found
            found |= new
            waiting += new
        return found

    def purpose(self, room: str) -> str:
        """Return the first line of a room's docstring."""
        path = ROOT / self.package / room
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        return (ast.get_docstring(ast.parse(file.read_text("utf-8"))) or "").partition("\n")[0]


def read(package: str) -> Architecture:
    """Read floors from the import contract, and imports from the code."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    contract = next(c for c in settings["contracts"] if c.get("containers") == [package])
    floors = tuple(tuple(part.strip() for part in floor.split("|")) for floor in contract["layers"])
    imports: dict[str, set[str]] = {room: set() for floor in floors for room in floor}
    graph = grimp.build_graph(package, cache_dir=None)
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            pair = [name.split(".")[1] for name in (module, imported) if "." in name]
            if len(pair) == 2 and pair[0] != pair[1]:
                imports[pair[0]].add(pair[1])
    return Architecture(package, contract["name"], floors, imports)


def picture(architecture: Architecture) -> str:
    """Draw the rooms from top to bottom, and the imports as arrows and arcs."""
    rooms = architecture.rooms
    middle = {room: TOP + ROW * i + ROW / 2 for i, room in enumerate(rooms)}
    right, centre = LEFT + WIDTH, LEFT + 60
    lines, furthest = [], 0.0
    for floor in architecture.floors:
        if len(floor) > 1:
            top = middle[floor[0]] - ROW / 2 + 1
            lines.append(
                f'<rect x="{LEFT - 7}" y="{top:g}" width="{WIDTH + 14}" '
                f'height="{ROW * len(floor) - 2}" class="floor"/>'
            )
    for upper, lower in architecture.arrows():
        start, end = middle[upper], middle[lower]
        span = rooms.index(lower) - rooms.index(upper)
        if span == 1:
            path = f"M {centre} {start + HEIGHT / 2:g} V {end - HEIGHT / 2 - 6:g}"
        else:
            bulge = BULGE + BULGE_PER_ROW * span
            furthest = max(furthest, bulge)
            path = (
                f"M {right} {start + 6:g} C {right + bulge} {start + 6:g}, "
                f"{right + bulge} {end - 6:g}, {right + 6} {end - 6:g}"
            )
        colour = rooms.index(upper) % len(COLOURS)
        lines.append(
            f'<path d="{path}" class="arrow" stroke="{COLOURS[colour]}" '
            f'marker-end="url(#head{colour})"/>'
        )
    for room in rooms:
        y, purpose = middle[room], escape(architecture.purpose(room).replace("`", ""))
        lines += [
            f'<rect x="{LEFT}" y="{y - HEIGHT / 2:g}" width="{WIDTH}" height="{HEIGHT}" rx="4"/>',
            f'<text x="{LEFT + 10}" y="{y + 4:g}" class="room">{escape(room)}</text>',
            f'<text x="{LEFT + 118}" y="{y + 4:g}">{purpose}</text>',
        ]
    width = right + 0.75 * furthest + 12
    height = TOP + ROW * len(rooms) + 8
    return "\n".join([*_head(architecture, width, height), *lines, "</svg>\n"])


def _head(architecture: Architecture, width: float, height: float) -> list[str]:
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" role="img">',
        "<style>text { font: 12px system-ui, sans-serif; fill: #1b1b1b } "
        ".room { font-weight: 600 } "
        "rect { fill: #f3f5f7; stroke: #6b7785 } .floor { fill: none; stroke-dasharray: 3 3 } "
        ".arrow { fill: none; stroke-width: 1.4 } "
        ".title { font-size: 15px; font-weight: 600 }</style>",
        *(
            f'<marker id="head{number}" markerWidth="7" markerHeight="7" refX="1" refY="3.5" '
            f'orient="auto"><path d="M 0 0 L 7 3.5 L 0 7 z" fill="{colour}"/></marker>'
            for number, colour in enumerate(COLOURS)
        ),
        f'<rect width="{width:g}" height="{height:g}" style="fill: #fff; stroke: none"/>',
        f'<text x="{LEFT}" y="26" class="title">{escape(architecture.pipeline)}</text>',
    ]


def section(architecture: Architecture) -> str:
    """Return what the page says of a package: its picture, and a row for each room."""
    lines = [
        f"\n## {architecture.package}\n",
        f"![{architecture.pipeline}](architecture/{architecture.package}.svg)\n",
        "| room | what it is | imports |",
        "| --- | --- | --- |",
    ]
    for room in architecture.rooms:
        imported = sorted(architecture.imports[room], key=architecture.rooms.index)
        path = ROOT / architecture.package / room
        name = f"{architecture.package}/{room}{'/' if path.is_dir() else '.py'}"
        lines.append(
            f"| `{name}` | {architecture.purpose(room)} | {', '.join(imported) or 'no other'} |"
        )
    return "\n".join(lines) + "\n"


def files() -> dict[Path, str]:
    """Return the page and its pictures, by where they belong."""
    found = [read(package) for package in PACKAGES]
    return {PAGE: INTRODUCTION + "".join(map(section, found))} | {
        FOLDER / f"{architecture.package}.svg": picture(architecture) for architecture in found
    }


def main() -> None:
    """Write page and pictures."""
    FOLDER.mkdir(exist_ok=True)
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
